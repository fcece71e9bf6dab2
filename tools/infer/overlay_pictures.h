// Results drawn over the photos.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tools/infer/result_sink.h"

namespace mrcnn {

// <directory>/<picture_name>.png: the photo with each object's area, outline, box and a label
// "dog 87%".
class OverlayPictures : public ResultSink {
 public:
  OverlayPictures(std::string directory, std::vector<std::string> class_names)
      : directory_(std::move(directory)), class_names_(std::move(class_names)) {}
  bool needs_masks() const override { return true; }
  void consume(const ImageResult& result) override;

 private:
  const std::string directory_;
  const std::vector<std::string> class_names_;
};

}  // namespace mrcnn
