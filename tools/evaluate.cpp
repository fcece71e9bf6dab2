// evaluate: how good detections are.
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/device.h"
#include "core/error.h"
#include "core/parallel.h"
#include "data/coco/coco_dataset.h"
#include "data/coco/detection_file.h"
#include "data/coco/layout.h"
#include "data/voc/voc.h"
#include "tools/cli_main.h"
#include "tools/dataset/open_dataset.h"
#include "tools/evaluate/comparison.h"
#include "tools/evaluate/comparison_files.h"
#include "tools/evaluate/evaluate_file.h"
#include "tools/evaluate/evaluate_weights.h"
#include "tools/evaluate/evaluation_report.h"
#include "tools/evaluate/evaluators.h"
#include "tools/evaluate/options.h"
#include "tools/evaluate/score_files.h"
#include "tools/evaluate/score_table.h"
#include "tools/evaluate/scores.h"
#include "tools/infer/coco_results.h"
#include "tools/interrupt.h"
#include "tools/load_model.h"
#include "tools/report/html/evaluation_page.h"
#include "tools/report/progress.h"
#include "tools/report/utf8.h"

namespace {

using namespace mrcnn;

void say(const std::string& line) { fmt::print(stderr, "evaluate: {}\n", printable(line)); }

bool is_voc(const EvaluateOptions& options) {
  return !options.data.empty() && is_voc_folder(options.data);
}

// What is wrong with a COCO file is an error: the numbers of a part would be taken for those of
// all.
std::unique_ptr<Dataset> open_truth(const EvaluateOptions& options) {
  if (options.data.empty()) return open_coco(options.ground_truth, options.images);
  if (is_voc(options)) {
    const auto warn = [](const std::string& message) { say("warning: " + message); };
    return open_voc_dataset(options.data, options.split, {}, warn);
  }
  const CocoLayout layout = find_coco_layout(options.data, options.split);
  return open_coco(layout.annotations, layout.images);
}

ResamplingOptions resampling_of(const EvaluateOptions& options) {
  return {.resamples = options.bootstrap, .seed = static_cast<uint64_t>(options.seed)};
}

ScoreOptions score_options(const EvaluateOptions& options) {
  return {
      .resampling = options.bootstrap > 0 ? std::optional(resampling_of(options)) : std::nullopt,
      .sum = options.numpy_sum};
}

bool wants_confusion(const EvaluateOptions& options) {
  return !options.html.empty() || !options.confusion.empty();
}

int64_t num_mistakes(const EvaluateOptions& options) {
  return options.html.empty() ? 0 : kShownMistakes;
}

// Tables go where no document goes.
std::FILE* table_stream(const EvaluateOptions& options) {
  const bool taken = options.json == "-" || options.csv == "-" || options.confusion == "-" ||
                     options.results_out == "-";
  return taken ? stderr : stdout;
}

void write_scores(const EvaluateOptions& options, const Dataset& dataset,
                  const Evaluators& evaluators, const std::vector<Scores>& scores) {
  const ScoreDetail detail = options.per_class ? ScoreDetail::kPerClass : ScoreDetail::kSummary;
  if (!options.json.empty()) write_score_json(options.json, scores, detail);
  if (!options.csv.empty()) write_score_csv(options.csv, scores, detail);
  if (!options.confusion.empty()) {
    write_confusion_csv(options.confusion, dataset.classes(), *evaluators.parts().back().confusion);
  }
  if (options.quiet) return;
  std::FILE* const out = table_stream(options);
  for (const Scores& one : scores) {
    fmt::print(out, "{}{}\n{}", &one == scores.data() ? "" : "\n", one.type,
               format_coco_table(one.values));
    if (one.voc) fmt::print(out, "{}", format_voc(*one.voc));
    if (one.intervals) {
      fmt::print(out, "\n 95 % intervals over images, {} resamples\n{}", options.bootstrap,
                 format_intervals(one.values, *one.intervals));
    }
    if (options.per_class) fmt::print(out, "\n{}", format_class_table(one));
  }
}

DetectionFile read_results(const EvaluateOptions& options, const std::string& path,
                           const Dataset& dataset) {
  DetectionFile file(path, dataset, {.skip_unknown = options.skip_unknown});
  if (file.num_skipped() > 0) {
    say(
        fmt::format("warning: {}: {} of {} results are in no image or of no category of {} and "
                    "are left out",
                    path, file.num_skipped(), file.num_skipped() + file.size(), dataset.name()));
  }
  return file;
}

Evaluators evaluated(const EvaluateOptions& options, const Dataset& dataset,
                     const DetectionFile& file) {
  const bool can_be_masks = !options.iou_types.empty() || file.any_mask() || file.size() == 0;
  const bool strict = options.strict_pycocotools;
  Evaluators evaluators(dataset, {.boxes = options.wants("bbox"),
                                  .masks = options.wants("segm") && can_be_masks,
                                  .voc = options.voc || is_voc(options),
                                  .confusion = wants_confusion(options),
                                  .coco = {.strict_ids = strict,
                                           .strict_areas = strict && file.first_has_box(),
                                           .num_mistakes = num_mistakes(options)}});
  evaluate_file(dataset, file, evaluators);
  return evaluators;
}

int evaluate_results(const EvaluateOptions& options) {
  const std::unique_ptr<Dataset> dataset = open_truth(options);
  const DetectionFile file = read_results(options, options.results, *dataset);
  const Evaluators evaluators = evaluated(options, *dataset, file);
  const std::vector<Scores> scores = scores_of(*dataset, evaluators, score_options(options));
  write_scores(options, *dataset, evaluators, scores);
  if (!options.html.empty()) {
    write_evaluation_report(options, *dataset, evaluators, {.scores = scores, .facts = {}});
  }
  return 0;
}

int compare_results(const EvaluateOptions& options) {
  const std::unique_ptr<Dataset> dataset = open_truth(options);
  const auto evaluate = [&](const std::string& path) {
    return evaluated(options, *dataset, read_results(options, path, *dataset));
  };
  const Evaluators first = evaluate(options.compare[0]), second = evaluate(options.compare[1]);
  const std::vector<Comparison> comparisons =
      compare_evaluations(first, second, resampling_of(options));
  if (!options.json.empty()) write_comparison_json(options.json, comparisons);
  if (!options.csv.empty()) write_comparison_csv(options.csv, comparisons);
  if (options.quiet) return 0;
  std::FILE* const out = table_stream(options);
  fmt::print(out, "first  {}\nsecond {}\n95 % intervals over images, {} resamples\n",
             printable(options.compare[0]), printable(options.compare[1]), options.bootstrap);
  for (const Comparison& one : comparisons) {
    fmt::print(out, "\n{}\n{}", one.type, format_comparison(one));
  }
  return 0;
}

LoadedModel load(const EvaluateOptions& options, const Dataset& dataset, Device device) {
  return load_model({.weights = options.weights,
                     .model = options.model,
                     .seeded_classes = dataset.num_classes(),
                     .score_threshold = options.score,
                     .execution = {.device = device, .precision = options.precision}});
}

std::string device_text(const EvaluateOptions& options, const DeviceChoice& device) {
  return fmt::format("{}, {}: {}", device.device.to_string(), precision_name(options.precision),
                     device.reason);
}

void introduce(const EvaluateOptions& options, const LoadedModel& loaded, const Dataset& dataset,
               const DeviceChoice& device) {
  for (const std::string& note : compare_classes(loaded.class_names, dataset)) {
    say("warning: " + note);
  }
  if (options.quiet) return;
  say(loaded.summary_line);
  say(fmt::format("{}: {} images", dataset.name(), dataset.size()));
  say("device " + device_text(options, device));
}

int evaluate_model_run(const EvaluateOptions& options) {
  const DeviceChoice device = choose_device(options.device);
  const std::unique_ptr<Dataset> dataset = open_truth(options);
  const LoadedModel loaded = load(options, *dataset, device.device);
  introduce(options, loaded, *dataset, device);
  std::unique_ptr<CocoResults> results;
  if (!options.results_out.empty()) {
    results = std::make_unique<CocoResults>(options.results_out, MaskForm::kRle);
  }
  Evaluators evaluators(*dataset, {.boxes = options.wants("bbox"),
                                   .masks = options.wants("segm"),
                                   .voc = options.voc || is_voc(options),
                                   .confusion = wants_confusion(options),
                                   .coco = {.strict_ids = options.strict_pycocotools,
                                            .strict_areas = options.strict_pycocotools,
                                            .num_mistakes = num_mistakes(options)}});
  const InterruptGuard interrupt;
  const int64_t total =
      options.max_images > 0 ? std::min(options.max_images, dataset->size()) : dataset->size();
  Progress progress("evaluate", "images", total,
                    options.quiet ? ProgressMode::kOff : options.progress, stderr_screen());
  int64_t shown = 0;
  const DetectDatasetRun run = evaluate_weights(
      *loaded.model, *dataset,
      {.batch = options.batch,
       .max_images = options.max_images,
       .stop_requested = [&interrupt] { return interrupt.requested().has_value(); },
       .progress =
           [&](int64_t done) {
             progress.advance(done - shown);
             shown = done;
           },
       .take_behind = device.device.is_cuda()},
      evaluators, results.get());
  progress.finish();
  if (!run.complete) {
    say(fmt::format("interrupted after {} of {} images; nothing was written", run.images, total));
    return static_cast<int>(*interrupt.requested());
  }
  for (const std::string& problem : run.skipped) say("not evaluated: " + problem);
  if (results) results->finish();
  const std::vector<Scores> scores = scores_of(*dataset, evaluators, score_options(options));
  write_scores(options, *dataset, evaluators, scores);
  if (!options.html.empty()) {
    const PageFacts facts{{"Model", loaded.summary_line}, {"Device", device_text(options, device)}};
    write_evaluation_report(options, *dataset, evaluators,
                            {.scores = scores, .facts = facts, .model = loaded.model.get()});
  }
  return static_cast<int>(run.skipped.empty() ? ExitCode::kOk : ExitCode::kData);
}

int evaluate(int argc, char** argv) {
  const std::variant<EvaluateOptions, int> parsed = parse_evaluate_options(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const EvaluateOptions& options = std::get<EvaluateOptions>(parsed);
  if (options.threads > 0) set_num_threads(static_cast<int>(options.threads));
  switch (options.what) {
    case EvaluateWhat::kResults:
      return evaluate_results(options);
    case EvaluateWhat::kComparison:
      return compare_results(options);
    case EvaluateWhat::kWeights:
      return evaluate_model_run(options);
  }
  return static_cast<int>(ExitCode::kInternal);
}

}  // namespace

int main(int argc, char** argv) {
  return mrcnn::run_program("evaluate", [=] { return evaluate(argc, argv); });
}
