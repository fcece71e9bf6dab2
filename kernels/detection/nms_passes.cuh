// What the passes of NMS on a GPU hand on to each other.
// Order:   boxes of an image get ranks by score, then come as members, group by group.
// Mask:    for every member, which better members of its group overlap it too much.
// Reduce:  one block per group decides which members stay, and marks their ranks.
// Compact: the marked ranks become the image's result.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/detection/box_math.h"

namespace mrcnn::cuda {

struct NmsView {
  int64_t images;
  int64_t num_boxes;    // M
  int64_t capacity;     // K'
  int32_t group_limit;  // members of a group that may stay
  int32_t mask_words;   // a group of more than 32 times as many members has no mask
  int64_t kept_words;   // M bits
  float threshold;

  const float4* boxes;    // [images, M]
  const float* scores;    // [images, M]
  const int32_t* groups;  // [images, M], or null
  const int32_t* count;   // [images], or null
  int32_t* keep;          // [images, K']
  int32_t* kept;          // [images]

  uint64_t* keys;        // [images, M] for images that do not fit shared memory
  int32_t* ranked;       // [images, M] box of a rank
  int32_t* member_rank;  // [images, M]
  float4* members;       // [images, M] boxes
  int2* segments;        // [images, M] first member of the member's group, size of the group
  int32_t* heads;        // [images, M] first members of all groups, in any order
  int32_t* num_heads;    // [images]
  uint32_t* kept_ranks;  // [images, kept_words] bits
  // [images, mask_words, M]: bit i of word w of a member is the group's member 32 * w + i.
  uint32_t* mask;
};

// Boxes in use.
__device__ __forceinline__ int nms_count(const NmsView& view, int64_t image) {
  const auto most = static_cast<int>(view.num_boxes);
  if (view.count == nullptr) return most;
  const int count = view.count[image];
  return count < 0 ? 0 : count < most ? count : most;
}

__device__ __forceinline__ Box to_box(const float4& box) { return {box.x, box.y, box.z, box.w}; }

}  // namespace mrcnn::cuda
