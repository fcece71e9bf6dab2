// Boxes are visited by falling score; each is compared with the kept boxes of its group, which lie
// in separate coordinate arrays, kBlock at a time. That visits fewer pairs than suppressing
// forward, and needs no mask. (image, group) pairs are independent and run in parallel.
#include <algorithm>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/detection/box_math.h"
#include "kernels/detection/nms.h"
#include "kernels/detection/nms_math.h"
#include "kernels/detection/score_order.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kBlock = 64;
constexpr int64_t kPairsPerChunk = 500'000;  // about 100 microseconds

// Coordinates of kept boxes, padded to whole blocks with boxes that overlap nothing.
class KeptBoxes {
 public:
  explicit KeptBoxes(int64_t capacity)
      : stride_((capacity + kBlock - 1) / kBlock * kBlock),
        values_(static_cast<size_t>(5 * stride_)) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    std::fill_n(values_.begin(), 2 * stride_, kInfinity);
    std::fill_n(values_.begin() + 2 * stride_, 2 * stride_, -kInfinity);
  }

  void add(const Box& box, float area) {
    float* column = values_.data() + size_++;
    for (const float value : {box.x1, box.y1, box.x2, box.y2, area}) {
      *column = value;
      column += stride_;
    }
  }

  int64_t size() const { return size_; }
  int64_t stride() const { return stride_; }
  const float* values() const { return values_.data(); }

 private:
  int64_t stride_;
  int64_t size_ = 0;
  std::vector<float> values_;
};

// Is the IoU of `box` with any of the first `count` kept boxes above the threshold? The quotient
// is only formed in blocks where inter >= threshold * (1 - 1e-6) * joint for some box: that is
// implied by the rounded quotient being above, and rarely true.
MRCNN_TARGET_CLONES
bool overlaps_kept(const float* kept, int64_t stride, int64_t count, float box_x1, float box_y1,
                   float box_x2, float box_y2, float threshold) {
  const Box box{box_x1, box_y1, box_x2, box_y2};
  const float area = box_area(box);
  const float low = threshold * 0.999999F;
  const float* x1 = kept;
  const float* y1 = x1 + stride;
  const float* x2 = y1 + stride;
  const float* y2 = x2 + stride;
  const float* areas = y2 + stride;
  for (int64_t block = 0; block < count; block += kBlock) {
    int near = 0;
    for (int64_t i = block; i < block + kBlock; ++i) {
      const float inter = intersection_area({x1[i], y1[i], x2[i], y2[i]}, box);
      near |= inter >= low * (areas[i] + area - inter) ? 1 : 0;
    }
    if (near == 0) continue;
    int above = 0;
    for (int64_t i = block; i < block + kBlock; ++i) {
      const float inter = intersection_area({x1[i], y1[i], x2[i], y2[i]}, box);
      above |= inter / (areas[i] + area - inter) > threshold ? 1 : 0;
    }
    if (above != 0) return true;
  }
  return false;
}

// The boxes of one group of one image, best first, as ranks in that image's order of scores.
struct GroupJob {
  int64_t image;
  size_t begin;  // range of ImageOrder::members
  size_t end;
};

struct ImageOrder {
  std::vector<uint32_t> ranked;   // rank -> box
  std::vector<uint32_t> members;  // ranks, group by group
  std::vector<uint8_t> kept;      // by rank
};

ImageOrder order_boxes(int64_t image, int64_t count, const float* scores, const int32_t* groups,
                       std::vector<GroupJob>& jobs) {
  ImageOrder order;
  const auto size = static_cast<size_t>(count);
  std::vector<uint64_t> keys(size);
  for (size_t i = 0; i < size; ++i) {
    keys[i] = rank_key(score_word(scores[i]), static_cast<uint32_t>(i));
  }
  sort_rank_keys(keys);
  order.ranked.resize(size);
  order.members.resize(size);
  order.kept.resize(size);
  for (size_t rank = 0; rank < size; ++rank) order.ranked[rank] = key_index(keys[rank]);
  for (size_t rank = 0; rank < size; ++rank) {
    const int32_t group = groups == nullptr ? 0 : groups[order.ranked[rank]];
    keys[rank] = rank_key(static_cast<uint32_t>(group), static_cast<uint32_t>(rank));
  }
  if (groups != nullptr) sort_rank_keys(keys);
  size_t begin = 0;
  for (size_t i = 0; i < size; ++i) {
    order.members[i] = key_index(keys[i]);
    if (i + 1 < size && key_word(keys[i + 1]) == key_word(keys[i])) continue;
    jobs.push_back({.image = image, .begin = begin, .end = i + 1});
    begin = i + 1;
  }
  return order;
}

void suppress_group(const GroupJob& job, const float* boxes, float threshold, int64_t limit,
                    ImageOrder& order) {
  const auto size = static_cast<int64_t>(job.end - job.begin);
  KeptBoxes kept(std::min(size, limit));
  for (size_t i = job.begin; i < job.end && kept.size() < limit; ++i) {
    const uint32_t rank = order.members[i];
    const float* p = boxes + 4 * static_cast<int64_t>(order.ranked[rank]);
    const Box box{p[0], p[1], p[2], p[3]};
    if (overlaps_kept(kept.values(), kept.stride(), kept.size(), box.x1, box.y1, box.x2, box.y2,
                      threshold)) {
      continue;
    }
    kept.add(box, box_area(box));
    order.kept[rank] = 1;
  }
}

}  // namespace

void nms(const NmsGeometry& geometry, const float* boxes, const float* scores,
         const int32_t* groups, const int32_t* count, int32_t* keep, int32_t* kept) {
  const auto images = static_cast<size_t>(geometry.images);
  const int64_t stride = geometry.boxes;
  std::vector<ImageOrder> orders(images);
  std::vector<std::vector<GroupJob>> image_jobs(images);
  parallel_for(0, geometry.images, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const auto slot = static_cast<size_t>(n);
      orders[slot] =
          order_boxes(n, count == nullptr ? stride : count[n], scores + n * stride,
                      groups == nullptr ? nullptr : groups + n * stride, image_jobs[slot]);
    }
  });
  std::vector<GroupJob> jobs;
  for (const std::vector<GroupJob>& part : image_jobs) {
    jobs.insert(jobs.end(), part.begin(), part.end());
  }
  // Small groups share a chunk: waking a thread costs more than they do.
  int64_t pairs = 1;
  for (const GroupJob& job : jobs) {
    pairs += static_cast<int64_t>((job.end - job.begin) * (job.end - job.begin));
  }
  const auto num_jobs = static_cast<int64_t>(jobs.size());
  const int64_t grain = std::max<int64_t>(1, num_jobs * kPairsPerChunk / pairs);
  // No group needs more than its image returns: the rest would come after those in score order.
  const int64_t limit = std::min(geometry.capacity, geometry.params.max_keep_per_group);
  const float threshold = float_not_above(geometry.params.iou_threshold);
  parallel_for(0, num_jobs, grain, [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; ++j) {
      const GroupJob& job = jobs[static_cast<size_t>(j)];
      suppress_group(job, boxes + job.image * stride * 4, threshold, limit,
                     orders[static_cast<size_t>(job.image)]);
    }
  });
  for (int64_t n = 0; n < geometry.images; ++n) {
    const ImageOrder& order = orders[static_cast<size_t>(n)];
    int32_t* row = keep + n * geometry.capacity;
    int32_t size = 0;
    for (size_t rank = 0; rank < order.ranked.size() && size < geometry.capacity; ++rank) {
      if (order.kept[rank] != 0) row[size++] = static_cast<int32_t>(order.ranked[rank]);
    }
    kept[n] = size;
  }
}

}  // namespace mrcnn::cpu
