#include "data/loader/sample.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace mrcnn {
namespace {

bool has_pixels(const Rle& mask) {
  // Runs alternate and start with background.
  for (size_t i = 1; i < mask.counts.size(); i += 2) {
    if (mask.counts[i] > 0) return true;
  }
  return false;
}

}  // namespace

Sample load_sample(const Dataset& dataset, int64_t index, const SampleOptions& options) {
  const DatasetImage image = dataset.image(index);
  Sample sample{.index = index, .image_id = image.id, .path = image.path};
  sample.pixels = load_image(image.path, options.decode).pixels;
  const int64_t height = sample.pixels.size(0), width = sample.pixels.size(1);
  if (height != image.height || width != image.width) {
    throw FileError(ExitCode::kData, image.path, "",
                    "is " + std::to_string(width) + "x" + std::to_string(height) + " pixels, but " +
                        dataset.name() + " says " + std::to_string(image.width) + "x" +
                        std::to_string(image.height));
  }
  std::vector<float> boxes;
  std::vector<int32_t> labels;
  for (DatasetObject& object : dataset.objects(index)) {
    const double x1 = std::max(object.box[0], 0.0), y1 = std::max(object.box[1], 0.0);
    const double x2 = std::min(object.box[2], static_cast<double>(width));
    const double y2 = std::min(object.box[3], static_cast<double>(height));
    // In f32, where the losses take the logarithm of the sides.
    const bool extended = static_cast<float>(x2) > static_cast<float>(x1) &&
                          static_cast<float>(y2) > static_cast<float>(y1);
    if ((object.crowd && !options.keep_crowd) || !extended || !has_pixels(object.mask)) continue;
    for (const double edge : {x1, y1, x2, y2}) boxes.push_back(static_cast<float>(edge));
    labels.push_back(static_cast<int32_t>(object.label));
    sample.masks.push_back(std::move(object.mask));
  }
  const auto count = static_cast<int64_t>(labels.size());
  sample.boxes = Tensor::from(boxes, {count, 4});
  sample.labels = Tensor::from(labels, {count});
  return sample;
}

}  // namespace mrcnn
