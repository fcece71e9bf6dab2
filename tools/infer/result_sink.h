// Where the results of one image after the other go.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/rle.h"
#include "core/tensor.h"
#include "models/detection/instances.h"

namespace mrcnn {

struct ImageResult {
  std::string path{};
  int64_t image_id = 0;
  std::string picture_name{};    // relative path without extension
  Tensor image{};                // [H, W, 3] u8 RGB
  Instances instances{};         // best score first
  std::span<const Rle> masks{};  // one per instance at the size of the image, if masks were needed
};

class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual bool needs_masks() const = 0;
  virtual void consume(const ImageResult& result) = 0;
  // All images have been consumed. Not called when the run is cut short.
  virtual void finish() {}
};

}  // namespace mrcnn
