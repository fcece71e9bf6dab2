// infer: finds objects in photos.
#include <fmt/core.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/device.h"
#include "core/error.h"
#include "core/parallel.h"
#include "kernels/conv/convolution_plan.h"
#include "tools/cli_main.h"
#include "tools/infer/coco_results.h"
#include "tools/infer/inputs.h"
#include "tools/infer/instance_pictures.h"
#include "tools/infer/options.h"
#include "tools/infer/outputs.h"
#include "tools/infer/overlay_pictures.h"
#include "tools/infer/runner.h"
#include "tools/infer/text_results.h"
#include "tools/interrupt.h"
#include "tools/load_model.h"
#include "tools/report/progress.h"
#include "tools/report/utf8.h"

namespace {

using namespace mrcnn;

using Sinks = std::vector<std::unique_ptr<ResultSink>>;

void say(const std::string& line) { fmt::print(stderr, "infer: {}\n", printable(line)); }

// Names that gave no image are bad images too.
void report_inputs(const Inputs& inputs, const InferOptions& options) {
  for (const std::string& problem : inputs.problems) {
    if (options.strict) throw Error(ExitCode::kData, problem);
    say("skipped: " + problem);
  }
  if (!inputs.duplicates.empty() && !options.quiet) {
    const size_t more = inputs.duplicates.size() - 1;
    say(fmt::format("named more than once, done once: {}{}", inputs.duplicates.front(),
                    more == 0 ? "" : fmt::format(" and {} more", more)));
  }
  if (inputs.images.empty()) throw Error(ExitCode::kData, "no image is left to work on");
}

LoadedModel load(const InferOptions& options, Device device) {
  return load_model({.weights = options.weights,
                     .model = options.model,
                     .score_threshold = options.score,
                     .nms_threshold = options.nms,
                     .max_detections = options.max_detections,
                     .execution = {.device = device, .precision = options.precision},
                     .compat = options.compat});
}

void add_picture_sinks(const InferOptions& options, const std::vector<std::string>& class_names,
                       Sinks& sinks) {
  if (!options.overlay_dir.empty()) {
    sinks.push_back(std::make_unique<OverlayPictures>(options.overlay_dir, class_names));
  }
  if (!options.masks_dir.empty()) {
    sinks.push_back(std::make_unique<InstancePictures>(options.masks_dir));
  }
}

int exit_code_of(const RunSummary& summary, size_t num_names, const InferOptions& options) {
  if (summary.stopped) {
    say(fmt::format("interrupted after {} of {} images{}", summary.num_images + summary.num_skipped,
                    num_names, options.json.empty() ? "" : "; no JSON was written"));
    return static_cast<int>(*summary.stopped);
  }
  return static_cast<int>(summary.num_skipped > 0 ? ExitCode::kData : ExitCode::kOk);
}

int run(const InferOptions& options) {
  if (options.threads > 0) set_num_threads(static_cast<int>(options.threads));
  const DeviceChoice device = choose_device(options.device);
  const Inputs inputs = gather_inputs(options.inputs, std::cin);
  report_inputs(inputs, options);
  prepare_outputs(options, inputs.images);
  Sinks sinks;
  if (!options.json.empty()) {
    const MaskForm form = options.polygons ? MaskForm::kPolygons : MaskForm::kRle;
    sinks.push_back(std::make_unique<CocoResults>(options.json, form));
  }

  const InterruptGuard interrupt;
  const LoadedModel loaded = load(options, device.device);
  if (!options.quiet) {
    say(loaded.summary_line);
    say(fmt::format("device {}, {}: {}", device.device.to_string(),
                    precision_name(options.precision), device.reason));
  }
  add_picture_sinks(options, loaded.class_names, sinks);
  const bool wants_text = sinks.empty() && !options.quiet;
  Progress progress("infer", "images", static_cast<int64_t>(inputs.images.size()),
                    options.quiet ? ProgressMode::kOff : options.progress, stderr_screen());
  if (wants_text) sinks.push_back(std::make_unique<TextResults>(loaded.class_names, progress));

  const MaskRcnn& model = *loaded.model;
  DecodeOptions decoding;
  decoding.exif = options.exif;
  const Runner runner{
      .load = [&decoding](const std::string& path) { return load_image(path, decoding); },
      .detect = [&model](std::span<const Tensor> images) { return model.detect(images); },
      .encode_masks =
          [&model](const Instances& instances) { return encode_masks(instances, model.config()); },
      .classes = options.classes.empty() ? ClassFilter()
                                         : ClassFilter(options.classes, loaded.class_names),
      .batch = options.batch,
      .strict = options.strict,
      .stop_requested = [&interrupt] { return interrupt.requested(); }};
  RunSummary summary = run_inference(runner, inputs.images, sinks, progress);
  progress.finish();
  summary.num_skipped += static_cast<int64_t>(inputs.problems.size());
  const int code = exit_code_of(summary, inputs.images.size() + inputs.problems.size(), options);
  if (!options.quiet) {
    for (const std::string& line : cuda::convolution_fallbacks()) say(line);
    say(format_summary(summary));
  }
  return code;
}

int infer(int argc, char** argv) {
  const std::variant<InferOptions, int> parsed = parse_infer_options(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  return run(std::get<InferOptions>(parsed));
}

}  // namespace

int main(int argc, char** argv) {
  return mrcnn::run_program("infer", [=] { return infer(argc, argv); });
}
