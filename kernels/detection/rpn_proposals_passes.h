// The device passes that rpn_proposals consists of beside top-k and NMS.
#pragma once

#include <array>
#include <cstdint>

#include "core/dtype.h"
#include "core/stream.h"
#include "kernels/detection/anchors_math.h"
#include "kernels/detection/rpn_proposals.h"
#include "kernels/detection/topk.h"

namespace mrcnn::cuda {

// One level in the passes. Ranks are positions in the level's order by logit; those of all levels
// of an image are numbered through, and 32 neighbouring ranks of a level are a group.
template <typename T>
struct RpnLevelView {
  AnchorGrid grid;
  int64_t cells;              // H * W
  int64_t taken;              // k of the top-k
  int64_t first_rank;         // of all levels
  int64_t first_group;        // of all levels
  int64_t logits_stride;      // elements from one cell's logits to the next
  int64_t deltas_stride;      // the same for deltas
  const T* logits;            // [images, cells] rows of A
  const T* deltas;            // [images, cells] rows of 4*A
  const float* base_anchors;  // [A, 4]
  float* scores;              // [images, cells * A], what rpn_gather_logits makes
};

template <typename T>
struct RpnLevels {
  std::array<RpnLevelView<T>, kMaxTopkLevels> level;
  int num_levels;
};

struct RpnGeometry {
  int64_t images;
  int64_t ranks;   // sum of all levels' k, >= 1
  int64_t groups;  // of 32 ranks
  RpnProposalParams params;
};

// Boxes of all levels of an image: boxes [images, capacity, 4], the others [images, capacity].
struct RpnLists {
  float* boxes;
  float* scores;
  int32_t* levels;
  int32_t* count;  // [images]
};

// The logits of all levels as rows of f32 for the top-k.
void rpn_gather_logits(int64_t images, const RpnLevels<float>& levels, Stream stream);
void rpn_gather_logits(int64_t images, const RpnLevels<BFloat16>& levels, Stream stream);

// Decodes, clips and filters the best of each level. logits and indices [images, ranks] are the
// top-k's; image_sizes [images, 2]; `found` is scratch of groups * 32 entries an image, its count
// [images, groups]; output has `ranks` entries. With joint_levels the scores are the logits.
void rpn_decode(const RpnGeometry& geometry, const RpnLevels<float>& levels, const float* logits,
                const int32_t* indices, const float* image_sizes, const RpnLists& found,
                const RpnLists& output, Stream stream);
void rpn_decode(const RpnGeometry& geometry, const RpnLevels<BFloat16>& levels, const float* logits,
                const int32_t* indices, const float* image_sizes, const RpnLists& found,
                const RpnLists& output, Stream stream);

// joint_levels: the `capacity` best logits of the decoded boxes with their scores, one group per
// image. keys [images, ranks] is scratch.
void rpn_join_levels(const RpnGeometry& geometry, int64_t capacity, const RpnLists& decoded,
                     uint64_t* keys, const RpnLists& output, Stream stream);

}  // namespace mrcnn::cuda
