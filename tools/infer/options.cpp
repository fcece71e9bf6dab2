#include "tools/infer/options.h"

#include <CLI/CLI.hpp>

#include <utility>

#include "core/error.h"
#include "models/zoo.h"
#include "tools/command_line.h"
#include "tools/option_checks.h"

namespace mrcnn {
namespace {

constexpr int64_t kMaxBatch = 256;
constexpr int64_t kMaxThreads = 1024;
constexpr int64_t kMaxDetections = 10000;

// What CLI11 keeps as text until it is checked.
struct RawOptions {
  InferOptions options;
  std::string list;
  std::string precision = "fp32";
  std::string exif = "apply";
  std::string progress = "auto";
};

void add_options(CLI::App& app, RawOptions& raw) {
  InferOptions& options = raw.options;
  app.name("infer");
  app.formatter_fn(
      [](const CLI::App*, const std::string&, CLI::AppFormatMode) { return infer_help(); });
  app.set_help_flag("-h,--help");
  app.add_option("inputs", options.inputs);
  // The later of two wins, so that a script's defaults can be overridden at its end.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--list", raw.list)->type_name("FILE")->check(not_empty());
  app.add_option("--weights", options.weights)->type_name("FILE")->check(not_empty());
  app.add_option("--model", options.model)->type_name("NAME")->check(one_of(model_names()));
  app.add_option("--device", options.device)->type_name("DEVICE");
  app.add_option("--precision", raw.precision)
      ->type_name("word")
      ->check(one_of({"fp32", "tf32", "bf16"}));
  app.add_option("--score", options.score)->type_name("number")->check(number_between(0, 1));
  app.add_option("--nms", options.nms)->type_name("number")->check(number_between(0, 1));
  app.add_option("--max-detections", options.max_detections)
      ->type_name("number")
      ->check(whole_number_between(1, kMaxDetections));
  app.add_option("--classes", options.classes)->type_name("list of classes")->check(not_empty());
  app.add_option("--batch", options.batch)
      ->type_name("number")
      ->check(whole_number_between(1, kMaxBatch));
  app.add_option("--threads", options.threads)
      ->type_name("number")
      ->check(whole_number_between(1, kMaxThreads));
  app.add_option("--json", options.json)->type_name("FILE")->check(not_empty());
  app.add_option("--overlay", options.overlay_dir)->type_name("DIR")->check(not_empty());
  app.add_option("--masks", options.masks_dir)->type_name("DIR")->check(not_empty());
  app.add_flag("--polygons", options.polygons);
  app.add_option("--exif", raw.exif)->type_name("word")->check(one_of({"apply", "ignore"}));
  app.add_flag("--compat", options.compat);
  app.add_flag("--strict", options.strict);
  app.add_flag("-q,--quiet", options.quiet);
  app.add_option("--progress", raw.progress)
      ->type_name("word")
      ->check(one_of({"auto", "on", "off"}));
}

InferOptions checked(RawOptions raw) {
  InferOptions options = std::move(raw.options);
  if (!raw.list.empty()) options.inputs.push_back("@" + raw.list);
  if (options.inputs.empty()) {
    throw UsageError(
        "no images given: name files, directories, patterns or --list FILE; see --help");
  }
  if (options.weights.empty()) {
    throw UsageError("--weights is missing: name a .pth or .safetensors file; see --help");
  }
  if (options.polygons && options.json.empty()) {
    throw UsageError("--polygons is about the JSON results; give --json FILE too");
  }
  options.precision = parse_precision(raw.precision);
  options.exif = raw.exif == "apply" ? ExifPolicy::kApply : ExifPolicy::kIgnore;
  if (raw.progress != "auto") {
    options.progress = raw.progress == "on" ? ProgressMode::kOn : ProgressMode::kOff;
  }
  return options;
}

}  // namespace

std::variant<InferOptions, int> parse_infer_options(int argc, char** argv) {
  RawOptions raw;
  CLI::App app;
  add_options(app, raw);
  if (const std::optional<int> code = parse_command_line(app, argc, argv)) return *code;
  return checked(std::move(raw));
}

std::vector<std::string> infer_option_names() {
  RawOptions raw;
  CLI::App app;
  add_options(app, raw);
  return option_names(app);
}

}  // namespace mrcnn
