// The loop of `infer`: decode, detect, hand out. Knows neither the model nor the outputs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/exit_code.h"
#include "tools/infer/class_filter.h"
#include "tools/infer/inputs.h"
#include "tools/infer/prefetch.h"
#include "tools/infer/result_sink.h"
#include "tools/report/progress.h"

namespace mrcnn {

struct Runner {
  ImageLoader load;
  std::function<std::vector<Instances>(std::span<const Tensor>)> detect;
  std::function<std::vector<Rle>(const Instances&)> encode_masks;
  ClassFilter classes;
  int64_t batch = 1;
  bool strict = false;  // the first bad image ends the run
  std::function<std::optional<ExitCode>()> stop_requested;
};

struct RunSummary {
  int64_t num_images = 0;  // that gave a result, perhaps an empty one
  int64_t num_objects = 0;
  int64_t num_skipped = 0;
  double seconds = 0;
  std::optional<ExitCode> stopped{};  // by a signal, after a whole number of images
};

// Images come to the sinks one by one in the order of `images`, whatever the batch. An image that
// cannot be read (an error with ExitCode::kData) is reported through `progress` and skipped; other
// errors end the run. When stopped by a signal the images of the current batch are finished and the
// sinks' finish() is not called.
RunSummary run_inference(const Runner& runner, const std::vector<InputImage>& images,
                         std::span<const std::unique_ptr<ResultSink>> sinks, Progress& progress);

// "12 images, 87 objects, 14.2 s, 0.85 images/s, 1 skipped"
std::string format_summary(const RunSummary& summary);

}  // namespace mrcnn
