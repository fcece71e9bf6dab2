#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/safetensors.h"
#include "tools/report/html/evaluation_page.h"
#include "tools/trainer/checkpoint_file.h"
#include "tools/trainer/evaluation_log.h"
#include "tools/trainer/model_evaluation.h"
#include "tools/trainer/run.h"
#include "tools/trainer/sample_pictures.h"

namespace mrcnn {

void Run::evaluate() {
  if (!data_.val || evaluated_step_ == step_) return;
  const Watchdog::Phase watched = watch_.evaluation(step_);
  const double began_s = monotonic_seconds();
  speed_->pause(began_s);
  const std::unique_ptr<MaskRcnn> model = state_->inference_model();
  ModelEvaluation result = evaluate_model(*model, *data_.val,
                                          {.batch = config_.batch,
                                           .max_images = config_.eval_images,
                                           .num_mistakes = kShownMistakes,
                                           .stop_requested =
                                               [this] {
                                                 watch_.beat();
                                                 return signals_.stop_requested().has_value();
                                               },
                                           .take_behind = device_.device.is_cuda()});
  const double ended_s = monotonic_seconds();
  speed_->resume(ended_s);
  if (!result.complete) return;  // interrupted: the numbers are of a part only
  evaluated_step_ = step_;
  for (const std::string& problem : result.skipped) say_("not evaluated: " + problem);
  const std::map<std::string, double> metrics = metrics_of(result);
  history_.add(step_, metrics);
  if (original_) original_->evaluated(result.images, ended_s - began_s, metrics);
  const LogRecord record{"eval", step_, epoch(), {metrics.begin(), metrics.end()}};
  log_->write(record);
  events_->scalars(step_, record.values);
  const std::vector<SamplePicture> samples = draw_samples(*model, *data_.val);
  add_sample_pictures(samples, step_, *events_);
  reporter_->evaluated(step_, std::move(result), samples);
  say_(fmt::format("step {}: {}", step_, metrics_text(metrics)));
}

TrainFacts Run::facts_at(int64_t step, const LoaderPosition& position) const {
  TrainFacts facts = facts_of_run(config_, *data_.train, history_);
  facts.step = step;
  facts.epoch = position.epoch;
  facts.sampler_position = position.batch;
  facts.elapsed_s = elapsed_s();
  facts.model = setup_.metadata;
  set_lr_scale(facts, lr_scale_);
  return facts;
}

void Run::write_checkpoint() {
  log_->sync();
  events_->sync();
  const SavedCheckpoint saved =
      checkpoints_.save(facts_at(step_, position_), state_->tensors(), config_.keep_checkpoints);
  saved_step_ = step_;
  policy_.saved();
  say_("saved " + saved.path);
  for (const std::string& name : saved.not_removed) say_("could not remove " + name);
}

bool Run::save(bool is_last) {
  if (saved_step_ == step_) return false;
  if (take_losses()) return true;  // nothing bad is saved
  speed_->pause(monotonic_seconds());
  try {
    const Watchdog::Phase watched = watch_.save(step_);
    const std::optional<std::string> problem =
        retries_.attempt([this] { write_checkpoint(); }, is_last);
    if (problem) say_(*problem);
  } catch (const Error& error) {
    // The weights are not finite.
    if (error.exit_code() != ExitCode::kDiverged || config_.on_nonfinite != OnNonFinite::kRollback)
      throw;
    static_cast<void>(policy_.judge(error.what()));
    go_back(error.what());
    return true;
  }
  speed_->resume(monotonic_seconds());
  return false;
}

void Run::write_final() {
  const std::string path = config_.out + "/final.safetensors";
  const std::string last = checkpoints_.path_of(step_);
  write_safetensors(path, checkpoint_weights(read_file(last, ExitCode::kModel), last));
  say_("wrote " + path);
  if (num_skipped_ > 0) say_(fmt::format("{} images could not be used", num_skipped_));
}

void Run::report(const std::string& outcome) {
  if (step_ == first_step_ && reporter_->may_know_less()) return;
  say_(reporter_->write(outcome, step_, length_.total_steps, elapsed_s()));
}

}  // namespace mrcnn
