#include "data/evaluation/mask_iou.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "data/masks/rle.h"

namespace mrcnn {
namespace {

using Run = BoxedMask::Run;

CocoBox box_of(const Rle& mask) {
  const PixelBox box = rle_bbox(mask);
  return {static_cast<double>(box.x), static_cast<double>(box.y), static_cast<double>(box.width),
          static_cast<double>(box.height)};
}

// The runs of `runs` that may meet [begin, end).
std::pair<const Run*, const Run*> runs_between(const std::vector<Run>& runs, uint32_t begin,
                                               uint32_t end) {
  const auto first = std::partition_point(runs.begin(), runs.end(),
                                          [begin](const Run& run) { return run.end <= begin; });
  const auto last =
      std::partition_point(first, runs.end(), [end](const Run& run) { return run.begin < end; });
  return {runs.data() + (first - runs.begin()), runs.data() + (last - runs.begin())};
}

int64_t intersection_of(const std::vector<Run>& a, const std::vector<Run>& b) {
  const uint32_t begin = std::max(a.front().begin, b.front().begin);
  const uint32_t end = std::min(a.back().end, b.back().end);
  auto [i, i_end] = runs_between(a, begin, end);
  auto [j, j_end] = runs_between(b, begin, end);
  int64_t pixels = 0;
  while (i != i_end && j != j_end) {
    const uint32_t i_last = i->end, j_last = j->end;
    const uint32_t from = std::max(i->begin, j->begin), to = std::min(i_last, j_last);
    pixels += to > from ? to - from : 0;
    i += i_last <= j_last ? 1 : 0;
    j += j_last <= i_last ? 1 : 0;
  }
  return pixels;
}

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

BoxedMask::BoxedMask(const Rle& rle) : height(rle.height), width(rle.width), box(box_of(rle)) {
  runs.reserve(rle.counts.size() / 2);
  uint32_t position = 0;
  for (size_t i = 0; i + 1 < rle.counts.size(); i += 2) {
    const uint32_t begin = position + rle.counts[i];
    position = begin + rle.counts[i + 1];
    if (position == begin) continue;
    runs.push_back({begin, position});
    area += position - begin;
  }
}

double coco_mask_iou(const BoxedMask& detection, const BoxedMask& truth, bool crowd) {
  if (detection.height != truth.height || detection.width != truth.width) return -1;
  // Most pairs lie apart, which their boxes tell at once.
  if (!(coco_box_iou(detection.box, truth.box, crowd) > 0)) return 0;
  const int64_t intersection = intersection_of(detection.runs, truth.runs);
  if (intersection == 0) return 0;
  const int64_t over = crowd ? detection.area : detection.area + truth.area - intersection;
  return static_cast<double>(intersection) / static_cast<double>(over);
}

}  // namespace mrcnn
