#include "tools/evaluate/options.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.h"
#include "models/zoo.h"
#include "tools/command_line.h"
#include "tools/option_checks.h"

namespace mrcnn {
namespace {

constexpr int64_t kMaxBatch = 256;
constexpr int64_t kMaxThreads = 1024;
constexpr int64_t kMaxResamples = 1'000'000;
constexpr int64_t kDefaultResamples = 1000;

// What CLI11 keeps as text until it is checked.
struct RawOptions {
  EvaluateOptions options;
  std::string precision = "fp32";
  std::string progress = "auto";
  std::string numpy_sum = "blocks";
};

CLI::Option* add_text(CLI::App& app, const char* name, std::string& value, const char* type) {
  return app.add_option(name, value)->type_name(type)->check(not_empty());
}

CLI::Option* add_count(CLI::App& app, const char* name, int64_t& value, int64_t low, int64_t high) {
  return app.add_option(name, value)->type_name("number")->check(whole_number_between(low, high));
}

void add_inputs(CLI::App& app, RawOptions& raw) {
  EvaluateOptions& options = raw.options;
  add_text(app, "--results", options.results, "FILE");
  app.add_option("--compare", options.compare)
      ->type_name("FILE")
      ->expected(2)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(not_empty());
  add_text(app, "--weights", options.weights, "FILE");
  add_text(app, "--model", options.model, "NAME")->check(one_of(model_names()));
  add_text(app, "--device", options.device, "DEVICE");
  add_text(app, "--precision", raw.precision, "word")->check(one_of({"fp32", "tf32", "bf16"}));
  app.add_option("--score", options.score)->type_name("number")->check(number_between(0, 1));
  add_count(app, "--batch", options.batch, 1, kMaxBatch);
  add_count(app, "--max-images", options.max_images, 1, INT64_MAX);
  add_text(app, "--ground-truth", options.ground_truth, "FILE");
  add_text(app, "--images", options.images, "DIR");
  add_text(app, "--data", options.data, "DIR");
  add_text(app, "--split", options.split, "NAME");
}

void add_outputs(CLI::App& app, RawOptions& raw) {
  EvaluateOptions& options = raw.options;
  app.add_option("--iou-type", options.iou_types)
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->type_name("list of bbox and segm")
      ->check(one_of({"bbox", "segm"}));
  app.add_flag("--skip-unknown", options.skip_unknown);
  app.add_flag("--strict-pycocotools", options.strict_pycocotools);
  add_text(app, "--numpy-sum", raw.numpy_sum, "word")->check(one_of({"blocks", "whole"}));
  app.add_flag("--voc", options.voc);
  app.add_flag("--per-class", options.per_class);
  add_count(app, "--bootstrap", options.bootstrap, 1, kMaxResamples);
  add_count(app, "--seed", options.seed, 0, INT64_MAX);
  add_text(app, "--results-out", options.results_out, "FILE");
  add_text(app, "--json", options.json, "FILE");
  add_text(app, "--csv", options.csv, "FILE");
  add_text(app, "--html", options.html, "FILE");
  add_text(app, "--confusion", options.confusion, "FILE");
  add_count(app, "--threads", options.threads, 1, kMaxThreads);
  app.add_flag("-q,--quiet", options.quiet);
  add_text(app, "--progress", raw.progress, "word")->check(one_of({"auto", "on", "off"}));
}

void add_options(CLI::App& app, RawOptions& raw) {
  app.name("evaluate");
  app.formatter_fn(
      [](const CLI::App*, const std::string&, CLI::AppFormatMode) { return evaluate_help(); });
  app.set_help_flag("-h,--help");
  // The later of two wins, so that a script's defaults can be overridden at its end.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_inputs(app, raw);
  add_outputs(app, raw);
}

EvaluateWhat what_of(const EvaluateOptions& options) {
  const int given = (options.results.empty() ? 0 : 1) + (options.compare.empty() ? 0 : 1) +
                    (options.weights.empty() ? 0 : 1);
  if (given == 0) {
    throw UsageError(
        "there is nothing to evaluate: give --results FILE, --weights FILE or --compare A B; see "
        "--help");
  }
  if (!options.compare.empty() && options.compare.size() != 2) {
    throw UsageError("--compare needs two files of results");
  }
  if (given > 1) throw UsageError("of --results, --weights and --compare only one can be given");
  if (!options.weights.empty()) return EvaluateWhat::kWeights;
  return options.results.empty() ? EvaluateWhat::kComparison : EvaluateWhat::kResults;
}

void check_truth(const EvaluateOptions& options) {
  if (options.ground_truth.empty() == options.data.empty()) {
    throw UsageError(options.data.empty()
                         ? "there is nothing to compare with: give --ground-truth FILE, or "
                           "--data DIR and --split NAME"
                         : "--ground-truth and --data both say what to compare with: give one");
  }
  if (!options.images.empty() && options.ground_truth.empty()) {
    throw UsageError("--images is for --ground-truth; --data has its own");
  }
  if (options.what == EvaluateWhat::kWeights && options.data.empty() && options.images.empty()) {
    throw UsageError(
        "the model needs pictures: give --images DIR to --ground-truth, or --data DIR");
  }
}

// Options that would have no effect.
void check_fits(const CLI::App& app, EvaluateWhat what) {
  const auto refuse = [&app](const std::vector<const char*>& names, const std::string& place) {
    for (const char* name : names) {
      if (app.count(name) > 0) throw UsageError(std::string(name) + " has no effect " + place);
    }
  };
  if (what != EvaluateWhat::kWeights) {
    refuse({"--model", "--device", "--precision", "--score", "--batch", "--max-images",
            "--results-out", "--progress"},
           "without --weights");
    if (app.count("--html") == 0) refuse({"--images"}, "without --weights or --html");
  } else {
    refuse({"--skip-unknown"}, "with --weights");
  }
  if (what == EvaluateWhat::kComparison) {
    refuse({"--per-class", "--voc", "--numpy-sum", "--html", "--confusion"}, "with --compare");
  }
}

void check_outputs(const EvaluateOptions& options) {
  if (options.html == "-") throw UsageError("--html wants a file, not standard output");
  std::set<std::string> places;
  for (const std::string* path :
       {&options.json, &options.csv, &options.html, &options.confusion, &options.results_out}) {
    if (path->empty()) continue;
    if (!places.insert(*path).second) {
      throw UsageError(*path == "-" ? "only one output can be standard output"
                                    : "two outputs name one file: " + *path);
    }
    for (const std::string& input : {options.results, options.weights, options.ground_truth}) {
      if (input == *path) throw UsageError("the output " + *path + " would replace an input");
    }
    if (std::find(options.compare.begin(), options.compare.end(), *path) != options.compare.end()) {
      throw UsageError("the output " + *path + " would replace an input");
    }
  }
}

EvaluateOptions checked(RawOptions raw, const CLI::App& app) {
  EvaluateOptions options = std::move(raw.options);
  options.what = what_of(options);
  check_fits(app, options.what);
  check_truth(options);
  check_outputs(options);
  if (options.what == EvaluateWhat::kComparison && options.bootstrap == 0) {
    options.bootstrap = kDefaultResamples;
  }
  options.numpy_sum = raw.numpy_sum == "whole" ? NumpySum::kWhole : NumpySum::kBlocks;
  options.precision = parse_precision(raw.precision);
  if (raw.progress != "auto") {
    options.progress = raw.progress == "on" ? ProgressMode::kOn : ProgressMode::kOff;
  }
  return options;
}

}  // namespace

bool EvaluateOptions::wants(const std::string& iou_type) const {
  return iou_types.empty() ||
         std::find(iou_types.begin(), iou_types.end(), iou_type) != iou_types.end();
}

std::variant<EvaluateOptions, int> parse_evaluate_options(int argc, char** argv) {
  RawOptions raw;
  CLI::App app;
  add_options(app, raw);
  if (const std::optional<int> code = parse_command_line(app, argc, argv)) return *code;
  return checked(std::move(raw), app);
}

std::vector<std::string> evaluate_option_names() {
  RawOptions raw;
  CLI::App app;
  add_options(app, raw);
  return option_names(app);
}

}  // namespace mrcnn
