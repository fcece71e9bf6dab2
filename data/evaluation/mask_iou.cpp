#include "data/evaluation/mask_iou.h"

#include <algorithm>
#include <cstdint>

#include "data/masks/rle.h"

namespace mrcnn {
namespace {

CocoBox box_of(const Rle& mask) {
  const PixelBox box = rle_bbox(mask);
  return {static_cast<double>(box.x), static_cast<double>(box.y), static_cast<double>(box.width),
          static_cast<double>(box.height)};
}

// Walks along the runs of a mask.
class Runs {
 public:
  explicit Runs(const Rle& mask) : counts_(mask.counts) {
    if (!counts_.empty()) left_ = counts_[0];
    skip_empty();
  }
  bool done() const { return index_ >= counts_.size(); }
  bool foreground() const { return index_ % 2 == 1; }
  uint32_t left() const { return left_; }
  void advance(uint32_t pixels) {
    left_ -= pixels;
    skip_empty();
  }

 private:
  void skip_empty() {
    while (left_ == 0 && index_ < counts_.size()) {
      ++index_;
      left_ = index_ < counts_.size() ? counts_[index_] : 0;
    }
  }

  const std::vector<uint32_t>& counts_;
  size_t index_ = 0;
  uint32_t left_ = 0;
};

}  // namespace

double coco_box_iou(const CocoBox& detection, const CocoBox& truth, bool crowd) {
  const auto overlap = [&](size_t axis) {
    return std::min(detection[axis] + detection[axis + 2], truth[axis] + truth[axis + 2]) -
           std::max(detection[axis], truth[axis]);
  };
  const double width = overlap(0), height = overlap(1);
  if (width <= 0 || height <= 0) return 0;
  const double intersection = width * height;
  const double detection_area = detection[2] * detection[3];
  const double union_area =
      crowd ? detection_area : detection_area + truth[2] * truth[3] - intersection;
  return intersection / union_area;
}

BoxedMask::BoxedMask(const Rle& rle) : mask(&rle), box(box_of(rle)) {}

double coco_mask_iou(const BoxedMask& detection, const BoxedMask& truth, bool crowd) {
  const Rle& found = *detection.mask;
  const Rle& wanted = *truth.mask;
  if (found.height != wanted.height || found.width != wanted.width) return -1;
  // Most pairs lie apart, which their boxes tell at once.
  if (!(coco_box_iou(detection.box, truth.box, crowd) > 0)) return 0;
  int64_t intersection = 0, either = 0, own = 0;
  Runs a(found), b(wanted);
  while (!a.done() && !b.done()) {
    const uint32_t pixels = std::min(a.left(), b.left());
    if (a.foreground()) own += pixels;
    if (a.foreground() && b.foreground()) intersection += pixels;
    if (a.foreground() || b.foreground()) either += pixels;
    a.advance(pixels);
    b.advance(pixels);
  }
  if (intersection == 0) return 0;
  return static_cast<double>(intersection) / static_cast<double>(crowd ? own : either);
}

}  // namespace mrcnn
