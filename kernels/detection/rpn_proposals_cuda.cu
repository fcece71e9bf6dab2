// rpn_decode takes two launches: a warp per 32 ranks fills slots of its own, then the slots are
// compacted. That is spread over all SMs, where one block per image could keep a running count.
#include <algorithm>
#include <cmath>

#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/detection/box_pack.cuh"
#include "kernels/detection/compact_slots.cuh"
#include "kernels/detection/rpn_proposals_math.h"
#include "kernels/detection/rpn_proposals_passes.h"
#include "kernels/detection/score_order.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 128;        // few thousand ranks: small blocks reach more SMs
constexpr int kGatherBlock = 256;  // a quarter million logits

// blockIdx.y is the level.
template <typename T>
__global__ void rpn_gather_logits_kernel(int64_t images,
                                         const __grid_constant__ RpnLevels<T> levels) {
  const RpnLevelView<T>& level = levels.level[blockIdx.y];
  const int64_t anchors = level.grid.num_anchors;
  const int64_t total = images * level.cells * anchors;
  for (int64_t i = first_item(); i < total; i += item_stride()) {
    level.scores[i] = to_float(level.logits[i / anchors * level.logits_stride + i % anchors]);
  }
}

template <typename T>
__device__ Box decode_anchor(const RpnLevelView<T>& level, const RpnProposalParams& params,
                             int64_t image, int64_t index, const float* image_size) {
  const int64_t anchors = level.grid.num_anchors;
  const T* deltas = level.deltas + (image * level.cells + index / anchors) * level.deltas_stride +
                    4 * (index % anchors);
  const float values[4] = {to_float(deltas[0]), to_float(deltas[1]), to_float(deltas[2]),
                           to_float(deltas[3])};
  const Box anchor = grid_anchor(level.grid, level.base_anchors, index);
  return clip_box(decode_box(values, anchor, params.weights), image_size[0], image_size[1]);
}

template <typename T>
__device__ int level_of_group(const RpnLevels<T>& levels, int64_t group) {
  int level = levels.num_levels - 1;
  while (level > 0 && group < levels.level[level].first_group) --level;
  return level;
}

// One warp per group; blockIdx.y is the image.
template <typename T>
__global__ void rpn_decode_kernel(RpnGeometry g, const __grid_constant__ RpnLevels<T> levels,
                                  const float* __restrict__ logits,
                                  const int32_t* __restrict__ indices,
                                  const float* __restrict__ image_sizes, RpnLists found) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t group = first_item() / kWarp;
  if (group < g.groups) {
    const int64_t image = blockIdx.y;
    const int level_index = level_of_group(levels, group);
    const RpnLevelView<T>& level = levels.level[level_index];
    const int64_t rank = (group - level.first_group) * kWarp + lane;
    Box box{};
    float logit = 0;
    bool selected = false;
    if (rank < level.taken) {
      const int64_t at = image * g.ranks + level.first_rank + rank;
      logit = logits[at];
      box = decode_anchor(level, g.params, image, indices[at], image_sizes + 2 * image);
      selected = has_min_size(box, g.params.min_size) && !std::isnan(logit);
    }
    const unsigned ballot = __ballot_sync(kAllLanes, selected);
    const int64_t first = (image * g.groups + group) * kWarp;
    if (selected) {
      const int64_t slot = first + __popc(ballot & ((1U << lane) - 1U));
      store_box(found.boxes + 4 * slot, box);
      found.scores[slot] = g.params.joint_levels ? logit : proposal_score(logit, g.params.score);
      found.levels[slot] = level_index;
    }
    if (lane == 0) found.count[image * g.groups + group] = __popc(ballot);
  }
}

// blockIdx.y is the image.
__global__ void rpn_join_levels_keys_kernel(int64_t ranks, const float* __restrict__ logits,
                                            uint64_t* __restrict__ keys) {
  const int64_t i = first_item();
  const int64_t at = blockIdx.y * ranks + i;
  if (i < ranks) keys[at] = rank_key(score_word(logits[at]), static_cast<uint32_t>(i));
}

// blockIdx.y is the image.
__global__ void rpn_join_levels_kernel(RpnGeometry g, int64_t capacity, RpnLists decoded,
                                       const uint64_t* __restrict__ keys, RpnLists output) {
  const int64_t image = blockIdx.y;
  const int64_t i = first_item();
  const int64_t count = min(int64_t{decoded.count[image]}, capacity);
  if (i < capacity) {
    const int64_t to = image * capacity + i;
    Box box{};
    float score = 0;
    if (i < count) {
      const int64_t from = image * g.ranks + key_index(keys[image * g.ranks + i]);
      box = load_box(decoded.boxes + 4 * from);
      score = proposal_score(decoded.scores[from], g.params.score);
    }
    store_box(output.boxes + 4 * to, box);
    output.scores[to] = score;
    output.levels[to] = 0;
  }
  if (i == 0) output.count[image] = static_cast<int32_t>(count);
}

template <typename T>
void gather_logits(int64_t images, const RpnLevels<T>& levels, Stream stream) {
  int64_t most = 0;
  for (int i = 0; i < levels.num_levels; ++i) {
    const RpnLevelView<T>& level = levels.level[static_cast<size_t>(i)];
    most = std::max(most, images * level.cells * level.grid.num_anchors);
  }
  dim3 grid = blocks_for(most, kGatherBlock);
  grid.y = static_cast<unsigned>(levels.num_levels);
  launch("rpn_gather_logits", rpn_gather_logits_kernel<T>,
         {.grid = grid, .block = dim3(kGatherBlock), .stream = stream}, images, levels);
}

template <typename T>
void decode(const RpnGeometry& g, const RpnLevels<T>& levels, const float* logits,
            const int32_t* indices, const float* image_sizes, const RpnLists& found,
            const RpnLists& output, Stream stream) {
  dim3 grid = blocks_for(g.groups, kBlock / kWarp);
  grid.y = static_cast<unsigned>(g.images);
  launch("rpn_decode", rpn_decode_kernel<T>,
         {.grid = grid, .block = dim3(kBlock), .stream = stream}, g, levels, logits, indices,
         image_sizes, found);
  compact_slots("rpn_decode_compact",
                {.images = g.images,
                 .groups = g.groups,
                 .slots = kWarp,
                 .capacity = g.ranks,
                 .used = found.count,
                 .boxes = found.boxes,
                 .scores = found.scores,
                 .labels = found.levels,
                 .output_boxes = output.boxes,
                 .output_scores = output.scores,
                 .output_labels = output.levels,
                 .output_count = output.count},
                stream);
}

}  // namespace

void rpn_gather_logits(int64_t images, const RpnLevels<float>& levels, Stream stream) {
  gather_logits(images, levels, stream);
}

void rpn_gather_logits(int64_t images, const RpnLevels<BFloat16>& levels, Stream stream) {
  gather_logits(images, levels, stream);
}

void rpn_decode(const RpnGeometry& geometry, const RpnLevels<float>& levels, const float* logits,
                const int32_t* indices, const float* image_sizes, const RpnLists& found,
                const RpnLists& output, Stream stream) {
  decode(geometry, levels, logits, indices, image_sizes, found, output, stream);
}

void rpn_decode(const RpnGeometry& geometry, const RpnLevels<BFloat16>& levels, const float* logits,
                const int32_t* indices, const float* image_sizes, const RpnLists& found,
                const RpnLists& output, Stream stream) {
  decode(geometry, levels, logits, indices, image_sizes, found, output, stream);
}

void rpn_join_levels(const RpnGeometry& geometry, int64_t capacity, const RpnLists& decoded,
                     uint64_t* keys, const RpnLists& output, Stream stream) {
  dim3 grid = blocks_for(geometry.ranks, kBlock);
  grid.y = static_cast<unsigned>(geometry.images);
  launch("rpn_join_levels_keys", rpn_join_levels_keys_kernel,
         {.grid = grid, .block = dim3(kBlock), .stream = stream}, geometry.ranks, decoded.scores,
         keys);
  sort_keys(geometry.images, geometry.ranks, decoded.count, keys, stream);
  grid.x = blocks_for(capacity, kBlock).x;
  launch("rpn_join_levels", rpn_join_levels_kernel,
         {.grid = grid, .block = dim3(kBlock), .stream = stream}, geometry, capacity, decoded, keys,
         output);
}

}  // namespace mrcnn::cuda
