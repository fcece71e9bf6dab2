// What kernels selected, group by group, brought together at the front of each image's list.
// A group (a RoI, 32 neighbouring ranks) has slots of its own and fills the first `used` of them,
// so selecting needs no atomics and the order is that of the groups, whatever runs first.
#pragma once

#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/detection/box_pack.cuh"

namespace mrcnn::cuda {

struct SlotView {
  int64_t images;
  int64_t groups;          // per image, >= 1
  int64_t slots;           // per group
  int64_t capacity;        // of an image's output
  const int32_t* used;     // [images, groups]
  const float* boxes;      // [images, groups, slots, 4]
  const float* scores;     // [images, groups, slots]
  const int32_t* labels;   // [images, groups, slots]
  float* output_boxes;     // [images, capacity, 4], zero past the count; so are the next two
  float* output_scores;    // [images, capacity]
  int32_t* output_labels;  // [images, capacity]
  int32_t* output_count;   // [images]
};

inline constexpr int kCompactBlock = 128;  // 4 groups: about 1000 groups spread over all SMs

// Where a group's slots go, and where its image's list ends.
struct SlotRange {
  int64_t begin;
  int64_t total;
};

// A whole warp adds the image's counts up: 32 loads a lane for 1000 groups, which costs less than
// a launch that would prepare a prefix sum.
template <typename Count>
__device__ __forceinline__ SlotRange find_range(const Count* used, int64_t groups, int64_t group,
                                                int lane) {
  int before = 0;
  int total = 0;
  for (int64_t i = lane; i < groups; i += kWarp) {
    const int count = used[i];
    total += count;
    if (i < group) before += count;
  }
  return {__reduce_add_sync(kAllLanes, before), __reduce_add_sync(kAllLanes, total)};
}

__device__ __forceinline__ void copy_slot(const SlotView& view, int64_t from, int64_t to) {
  store_box(view.output_boxes + 4 * to, load_box(view.boxes + 4 * from));
  view.output_scores[to] = view.scores[from];
  view.output_labels[to] = view.labels[from];
}

__device__ __forceinline__ void clear_slot(const SlotView& view, int64_t to) {
  store_box(view.output_boxes + 4 * to, Box{});
  view.output_scores[to] = 0;
  view.output_labels[to] = 0;
}

// One warp per group; blockIdx.y is the image.
template <int kBlock>
__global__ void compact_slots_kernel(SlotView view) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t group = first_item() / kWarp;
  if (group < view.groups) {
    const int64_t image = blockIdx.y;
    const int32_t* used = view.used + image * view.groups;
    const SlotRange range = find_range(used, view.groups, group, lane);
    const int64_t first = image * view.capacity;
    const int64_t source = (image * view.groups + group) * view.slots;
    for (int64_t slot = lane; slot < used[group]; slot += kWarp) {
      copy_slot(view, source + slot, first + range.begin + slot);
    }
    for (int64_t slot = range.total + group * kWarp + lane; slot < view.capacity;
         slot += view.groups * kWarp) {
      clear_slot(view, first + slot);
    }
    if (group == 0 && lane == 0) view.output_count[image] = static_cast<int32_t>(range.total);
  }
}

// The capacity holds all that can be selected.
inline void compact_slots(const char* name, const SlotView& view, Stream stream) {
  dim3 grid = blocks_for(view.groups, kCompactBlock / kWarp);
  grid.y = static_cast<unsigned>(view.images);
  launch(name, compact_slots_kernel<kCompactBlock>,
         {.grid = grid, .block = dim3(kCompactBlock), .stream = stream}, view);
}

}  // namespace mrcnn::cuda
