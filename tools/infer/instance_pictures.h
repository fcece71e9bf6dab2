// Results as pictures that say which object each pixel belongs to.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tools/infer/result_sink.h"

namespace mrcnn {

// For each pixel of a height x width picture, row by row: 0 no object, i + 1 masks[i]. The earlier
// mask, which has the better score, covers the later one. At most 65535 masks.
std::vector<uint16_t> instance_map(std::span<const Rle> masks, int64_t height, int64_t width);

// <directory>/<picture_name>.png, whose pixel is the object's position (from 1) among the records
// of its image, 0 elsewhere. One byte a pixel, shown in the colours of the PASCAL VOC palette; from
// 256 objects on, 16-bit gray.
class InstancePictures : public ResultSink {
 public:
  explicit InstancePictures(std::string directory) : directory_(std::move(directory)) {}
  bool needs_masks() const override { return true; }
  void consume(const ImageResult& result) override;

 private:
  const std::string directory_;
};

}  // namespace mrcnn
