#include "tools/trainer/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "models/zoo.h"
#include "tools/command_line.h"

namespace mrcnn {
namespace {

constexpr int64_t kMany = std::numeric_limits<int64_t>::max();
constexpr double kAny = std::numeric_limits<double>::max();

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.push_back(preset.name);
  return names;
}

// In the order of config.txt and --help.
std::vector<Setting> make_settings() {
  using C = TrainConfig;
  return {
      word_setting("preset", &C::preset, preset_names(), "a recipe; other settings override it")
          .of_run(),
      word_setting("model", &C::model, model_names(), "what to train"),
      text_setting("init", &C::init,
                   "weight file to start from, seeded:N, or empty for random values"),
      text_setting("data", &C::data, "folder of the data set, or shapes").of_run(),
      text_setting("train_split", &C::train_split, "part of the data set to train on").of_run(),
      text_setting("val_split", &C::val_split, "part of the data set to evaluate on").of_run(),
      integer_setting("shapes_images", &C::shapes_images, {1, 1'000'000},
                      "training images to generate where data is shapes"),
      integer_setting("shapes_val_images", &C::shapes_val_images, {1, 1'000'000},
                      "images to generate for evaluation"),
      integer_setting("shapes_size", &C::shapes_size, {32, 4096}, "their sides, pixels"),
      text_setting("out", &C::out, "folder for checkpoints and logs").of_run(),
      flag_setting("auto_resume", &C::auto_resume,
                   "go on from the newest checkpoint in out, if there is one, without --resume")
          .of_run(),
      text_setting("device", &C::device, "auto, cpu, cuda or cuda:N").of_run(),
      word_setting("precision", &C::precision, {"fp32", "tf32", "bf16"},
                   "of activations and products on a GPU"),
      seed_setting("seed", &C::seed, "of everything random"),
      integer_setting("epochs", &C::epochs, {1, 1'000'000},
                      "passes over the training images, unless steps is given"),
      optional_integer_setting("steps", &C::steps, {1, kMany},
                               "optimizer steps of the whole run; none: epochs decides"),
      optional_integer_setting("stop_at", &C::stop_at, {1, kMany},
                               "save and stop after this step; --resume goes on")
          .of_run(),
      duration_setting("max_time", &C::max_time,
                       "save and stop after this much time, counted anew when resumed")
          .of_run(),
      integer_setting("batch", &C::batch, {1, 4096}, "images computed at once"),
      integer_setting("accumulate", &C::accumulate, {1, 4096},
                      "batches whose gradients make one step"),
      real_setting("lr", &C::lr, {0, 1000}, "learning rate after warm-up"),
      real_setting("momentum", &C::momentum, {0, 1, true}, "of SGD"),
      real_setting("weight_decay", &C::weight_decay, {0, 1}, "of SGD, on every trained tensor"),
      choice_setting("schedule", &C::schedule, {"constant", "multistep", "cosine"},
                     "how the learning rate falls"),
      reals_setting("milestones", &C::milestones, {0, kAny}, "multistep: when it falls, in epochs"),
      real_setting("gamma", &C::gamma, {0, 1}, "multistep: factor at each milestone"),
      real_setting("final_lr_factor", &C::final_lr_factor, {0, 1}, "cosine: factor at the end"),
      integer_setting("warmup_steps", &C::warmup_steps, {0, kMany},
                      "steps over which the learning rate rises linearly"),
      real_setting("warmup_epochs", &C::warmup_epochs, {0, 1'000'000},
                   "the same in epochs; the longer one holds"),
      real_setting("warmup_factor", &C::warmup_factor, {0, 1},
                   "factor of the learning rate at step 0"),
      real_setting("clip_norm", &C::clip_norm, {0, kAny},
                   "largest norm of all gradients together; 0: off"),
      real_setting("ema_decay", &C::ema_decay, {0, 1, true},
                   "of the running mean of the weights; 0: off"),
      integer_setting("freeze_stages", &C::freeze_stages, {0, 5},
                      "stages of the backbone, stem first, that are not trained"),
      choice_setting("loss_mean", &C::loss_mean, {"batch", "image"},
                     "batch: over all samples of a batch, as the references; image: the mean of "
                     "the images' means, which makes accumulate exact"),
      integer_setting("rpn_samples", &C::rpn_samples, {1, 4096}, "anchors per image in the losses"),
      integer_setting("roi_samples", &C::roi_samples, {1, 4096}, "boxes per image in the losses"),
      integer_setting("proposals", &C::proposals, {1, 10000},
                      "boxes that the RPN proposes per image in training"),
      integers_setting("min_size", &C::min_size, {1, 8192},
                       "shorter side of an image, pixels; of several one is drawn per image"),
      integer_setting("max_size", &C::max_size, {1, 16384}, "bound of the longer side, pixels"),
      real_setting("flip", &C::flip, {0, 1}, "probability of mirroring an image left to right"),
      flag_setting("lsj", &C::lsj, "large-scale jitter instead of min_size"),
      integer_setting("lsj_size", &C::lsj_size, {32, 8192}, "side of its square, pixels"),
      choice_setting("bad_images", &C::bad_images, {"skip", "fail"},
                     "what an image does that cannot be read; it is listed in any case"),
      choice_setting("on_nonfinite", &C::on_nonfinite, {"stop", "skip", "rollback"},
                     "after a step that is not finite, which is never taken: stop; go on, at most "
                     "10 in a row; or go back to the last checkpoint with half the learning rate")
          .of_run(),
      integer_setting("loader_threads", &C::loader_threads, {1, 256},
                      "threads that read and decode images")
          .of_run(),
      integer_setting("epoch_images", &C::epoch_images, {0, kMany},
                      "end an epoch after about so many images; 0: all"),
      flag_setting("compat", &C::compat, "the original system's faults, for comparisons"),
      choice_setting("console", &C::console, {"default", "original"},
                     "what is shown: a progress line, or the original system's lines")
          .of_run(),
      integer_setting("log_every", &C::log_every, {1, kMany},
                      "steps from one line of the logs to the next")
          .of_run(),
      integer_setting("eval_every", &C::eval_every, {0, kMany},
                      "steps between evaluations; 0: after each epoch")
          .of_run(),
      integer_setting("eval_images", &C::eval_images, {0, kMany},
                      "evaluate on the first so many images; 0: all")
          .of_run(),
      integer_setting("save_every", &C::save_every, {0, kMany},
                      "steps between checkpoints; 0: after each epoch")
          .of_run(),
      integer_setting("keep_checkpoints", &C::keep_checkpoints, {2, 1'000'000},
                      "newest checkpoints to keep, beside the best")
          .of_run(),
      text_setting("best_metric", &C::best_metric,
                   "metric of the evaluation that tells the best checkpoint")
          .of_run(),
      integer_setting("patience", &C::patience, {0, kMany},
                      "stop after so many evaluations without a better one; 0: off")
          .of_run(),
      duration_setting("watchdog_setup", &C::watchdog_setup,
                       "end with code 7 when setting up takes longer than this")
          .of_run(),
      duration_setting("watchdog_step", &C::watchdog_step,
                       "the same for a batch, on a CPU for each of its images")
          .of_run(),
      duration_setting("watchdog_save", &C::watchdog_save, "the same for writing a checkpoint")
          .of_run(),
  };
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> table = make_settings();
  return table;
}

const Setting& find_setting(std::string_view name) {
  std::vector<std::string> names;
  for (const Setting& setting : settings()) {
    if (setting.name == name) return setting;
    names.push_back(setting.name);
  }
  const std::string near = nearest_word(name, names);
  throw UsageError(fmt::format("unknown key '{}'{}", name,
                               near.empty() ? "" : "; did you mean '" + near + "'?"));
}

std::string settings_help() {
  const TrainConfig defaults;
  std::string text;
  for (const Setting& setting : settings()) {
    const std::string value = setting.get(defaults);
    text += fmt::format("  {:<19} {} ({}; default {})\n", setting.name, setting.help, setting.type,
                        value.empty() ? "empty" : value);
  }
  return text;
}

}  // namespace mrcnn
