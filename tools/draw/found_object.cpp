#include "tools/draw/found_object.h"

#include <fmt/format.h>

#include <utility>

namespace mrcnn {

OverlayItem found_object(const Instances& instances, int64_t index, Rle mask,
                         const std::string& class_name) {
  const float* const box = instances.boxes.data<const float>() + index * 4;
  const float score = instances.scores.data<const float>()[index];
  OverlayItem item;
  item.mask = std::move(mask);
  item.box = {box[0], box[1], box[2], box[3]};
  item.label = instances.labels.data<const int64_t>()[index];
  item.score = score;
  item.text = fmt::format("{} {:.0f}%", class_name, 100 * score);
  return item;
}

}  // namespace mrcnn
