// The order pass of NMS: keys (score word, box) sorted give the ranks; keys (group, rank) sorted
// give the members. One block does all of it for an image that fits shared memory; larger images
// sort in global memory. Kernels of nms_cuda.cu alone, hence static.
#pragma once

#include "core/cuda/launch.cuh"
#include "kernels/detection/block_sort.cuh"
#include "kernels/detection/nms_passes.cuh"
#include "kernels/detection/score_order.h"

namespace mrcnn::cuda {

inline constexpr int kOrderThreads = 256;  // of the kernels on large images

__device__ inline uint64_t score_key(const NmsView& view, int64_t image, int box) {
  const float score = view.scores[image * view.num_boxes + box];
  return rank_key(score_word(score), static_cast<uint32_t>(box));
}

// What the passes start from. `first` and `step` go over all threads that call it for the image.
__device__ inline void clear_marks(const NmsView& view, int64_t image, int64_t first,
                                   int64_t step) {
  if (first == 0) view.num_heads[image] = 0;
  for (int64_t i = first; i < view.kept_words; i += step) {
    view.kept_ranks[image * view.kept_words + i] = 0;
  }
}

// Notes the box of a rank; returns the rank's key in the order of members.
__device__ inline uint64_t take_rank(const NmsView& view, int64_t image, int rank, uint64_t key) {
  const uint32_t box = key_index(key);
  view.ranked[image * view.num_boxes + rank] = static_cast<int32_t>(box);
  const int32_t group = view.groups == nullptr ? 0 : view.groups[image * view.num_boxes + box];
  return rank_key(static_cast<uint32_t>(group), static_cast<uint32_t>(rank));
}

// The number of keys smaller than `bound`; keys ascend.
__device__ inline int count_below(const uint64_t* keys, int count, uint64_t bound) {
  int low = 0;
  int high = count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (keys[middle] < bound) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// keys [count], those of members
__device__ inline void write_member(const NmsView& view, int64_t image, const uint64_t* keys,
                                    int count, int member) {
  const uint64_t key = keys[member];
  const auto rank = static_cast<int32_t>(key_index(key));
  const int begin = count_below(keys, count, rank_key(key_word(key), 0));
  const int end = count_below(keys, count, rank_key(key_word(key), UINT32_MAX));
  const int64_t row = image * view.num_boxes;
  view.member_rank[row + member] = rank;
  view.members[row + member] = __ldg(view.boxes + row + view.ranked[row + rank]);
  view.segments[row + member] = make_int2(begin, end - begin);
  if (member == begin) view.heads[row + atomicAdd(view.num_heads + image, 1)] = member;
}

static __global__ void __launch_bounds__(1024)
    nms_order_kernel(const __grid_constant__ NmsView view) {
  auto* const keys = dynamic_shared_memory<uint64_t>();
  const int64_t image = blockIdx.x;
  const int count = nms_count(view, image);
  const auto first = static_cast<int>(threadIdx.x);
  const auto step = static_cast<int>(blockDim.x);
  clear_marks(view, image, first, step);
  for (int i = first; i < count; i += step) keys[i] = score_key(view, image, i);
  block_sort(keys, count);
  for (int i = first; i < count; i += step) keys[i] = take_rank(view, image, i, keys[i]);
  if (view.groups == nullptr) {
    __syncthreads();  // in order already
  } else {
    block_sort(keys, count);
  }
  for (int i = first; i < count; i += step) write_member(view, image, keys, count, i);
}

static __global__ void __launch_bounds__(kOrderThreads)
    nms_score_keys_kernel(const __grid_constant__ NmsView view) {
  const int64_t image = blockIdx.y;
  clear_marks(view, image, first_item(), item_stride());
  const auto i = static_cast<int>(first_item());
  if (i < nms_count(view, image)) {
    view.keys[image * view.num_boxes + i] = score_key(view, image, i);
  }
}

static __global__ void __launch_bounds__(kOrderThreads)
    nms_take_ranks_kernel(const __grid_constant__ NmsView view) {
  const int64_t image = blockIdx.y;
  const auto i = static_cast<int>(first_item());
  if (i < nms_count(view, image)) {
    uint64_t* const key = view.keys + image * view.num_boxes + i;
    *key = take_rank(view, image, i, *key);
  }
}

static __global__ void __launch_bounds__(kOrderThreads)
    nms_members_kernel(const __grid_constant__ NmsView view) {
  const int64_t image = blockIdx.y;
  const int count = nms_count(view, image);
  const auto i = static_cast<int>(first_item());
  if (i < count) write_member(view, image, view.keys + image * view.num_boxes, count, i);
}

inline void order_large(const NmsView& view, Stream stream) {
  LaunchConfig config{.grid = blocks_for(view.num_boxes, kOrderThreads),
                      .block = dim3(kOrderThreads),
                      .stream = stream};
  config.grid.y = static_cast<unsigned>(view.images);
  launch("nms_score_keys", nms_score_keys_kernel, config, view);
  sort_keys(view.images, view.num_boxes, view.count, view.keys, stream);
  launch("nms_take_ranks", nms_take_ranks_kernel, config, view);
  if (view.groups != nullptr) {
    sort_keys(view.images, view.num_boxes, view.count, view.keys, stream);
  }
  launch("nms_members", nms_members_kernel, config, view);
}

// Fills ranked, member_rank, members, segments, heads and num_heads, and clears kept_ranks.
inline void nms_order(const NmsView& view, Stream stream) {
  if (view.keys != nullptr) return order_large(view, stream);
  const auto bytes = static_cast<size_t>(view.num_boxes) * sizeof(uint64_t);
  allow_dynamic_shared("nms_order", nms_order_kernel, bytes);
  launch("nms_order", nms_order_kernel,
         {.grid = dim3(static_cast<unsigned>(view.images)),
          .block = dim3(sort_block(view.num_boxes)),
          .shared_bytes = bytes,
          .stream = stream},
         view);
}

}  // namespace mrcnn::cuda
