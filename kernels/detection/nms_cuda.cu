#include <algorithm>

#include "core/cuda/launch.cuh"
#include "kernels/detection/block_scan.cuh"
#include "kernels/detection/nms.h"
#include "kernels/detection/nms_math.h"
#include "kernels/detection/nms_order.cuh"
#include "kernels/detection/nms_passes.cuh"
#include "kernels/detection/score_order.h"
#include "kernels/detection/workspace.h"

namespace mrcnn::cuda {
namespace {

constexpr int64_t kMaxMaskBytes = 256 << 20;
constexpr int kMaskThreads = 128;
constexpr int kMaxReduceThreads = 1024;
constexpr int64_t kMaxReduceBlocks = 128;  // per image; more groups than that take turns
constexpr int kMaxCompactThreads = 1024;

// A thread makes one word of the mask of one member: 32 neighbours of the group's better members,
// which the threads of a warp read together.
__global__ void __launch_bounds__(kMaskThreads)
    nms_mask_kernel(const __grid_constant__ NmsView view) {
  const int64_t image = blockIdx.z;
  const auto word = static_cast<int>(blockIdx.y);
  const auto member = static_cast<int>(first_item());
  if (member >= nms_count(view, image)) return;
  const int64_t row = image * view.num_boxes;
  const int2 segment = view.segments[row + member];
  const int first = segment.x + kWarp * word;
  if (first > member || segment.y > kWarp * view.mask_words) return;
  const float4* const members = view.members + row;
  const Box box = to_box(members[member]);
  const float area = box_area(box);
  const int better = min(member - first, kWarp);
  uint32_t bits = 0;
  for (int i = 0; i < better; ++i) {
    const Box other = to_box(__ldg(members + first + i));
    if (overlaps_more(other, box_area(other), box, area, view.threshold)) bits |= 1U << i;
  }
  view.mask[(image * view.mask_words + word) * view.num_boxes + member] = bits;
}

// The greedy decision on 32 neighbouring members, one per lane: a member stays if none of the
// better ones that overlap it does. `better` names those of this warp. Each turn settles at least
// the best open member, and usually nearly all.
__device__ unsigned decide(bool alive, unsigned better) {
  const unsigned lane = threadIdx.x % kWarp;
  unsigned open = __ballot_sync(kAllLanes, alive);
  unsigned kept = 0;
  while (open != 0) {
    const bool is_open = (open >> lane & 1U) != 0;
    const bool loses = is_open && (better & kept) != 0;
    const bool wins = is_open && !loses && (better & open) == 0;
    const unsigned winners = __ballot_sync(kAllLanes, wins);
    open &= ~(winners | __ballot_sync(kAllLanes, loses));
    kept |= winners;
  }
  return kept;
}

// The `room` lowest of the bits.
__device__ unsigned lowest_bits(unsigned bits, int room) {
  while (__popc(bits) > room) bits &= ~(0x80000000U >> __clz(static_cast<int>(bits)));
  return bits;
}

__device__ void mark_kept(const NmsView& view, int64_t image, int member) {
  const int32_t rank = view.member_rank[image * view.num_boxes + member];
  atomicOr(view.kept_ranks + image * view.kept_words + rank / kWarp, 1U << rank % kWarp);
}

// A group: members [begin, begin + size) of an image.
struct Group {
  int64_t image;
  int begin;
  int size;
};

// Thread t stands for members t, t + blockDim.x, ... of the group. 32 members after the other, the
// warp that stands for them decides, and all threads look whether those that stay overlap theirs.
// `decided` has two places, used in turn, so that one barrier a step is enough.
__device__ void reduce_by_mask(const NmsView& view, const Group& group, unsigned* decided) {
  const auto thread = static_cast<int>(threadIdx.x);
  const auto threads = static_cast<int>(blockDim.x);
  const int lane = thread % kWarp;
  const uint32_t* mask = view.mask + group.image * view.mask_words * view.num_boxes + group.begin;
  uint32_t own = thread < group.size ? mask[thread] : 0;  // this step's word of member t
  uint64_t removed = 0;                                   // bit i: member t + i * blockDim.x
  int total = 0;
  for (int first = 0; first < group.size && total < view.group_limit; first += kWarp) {
    // The next step's word is on its way while a warp decides.
    const uint32_t* const next_mask = mask + view.num_boxes;
    const bool needs_next = thread >= first + kWarp && thread < group.size;
    const uint32_t next = needs_next ? next_mask[thread] : 0;
    unsigned& decision = decided[first / kWarp % 2];
    const int slot = first / threads;
    if (thread / kWarp == first % threads / kWarp) {
      const int member = first + lane;
      const bool alive = member < group.size && (removed >> slot & 1U) == 0;
      const unsigned better = !alive ? 0 : slot == 0 ? own : mask[member];
      const unsigned kept = lowest_bits(decide(alive, better), view.group_limit - total);
      if ((kept >> lane & 1U) != 0) mark_kept(view, group.image, group.begin + member);
      if (lane == 0) decision = kept;
    }
    __syncthreads();
    const unsigned kept = decision;
    total += __popc(kept);
    if ((own & kept) != 0) removed |= 1;
    for (int i = max(slot, 1); i * threads + thread < group.size; ++i) {
      const int member = i * threads + thread;
      if (member >= first && (mask[member] & kept) != 0) removed |= uint64_t{1} << i;
    }
    mask = next_mask;
    own = next;
  }
}

// Without a mask: 32 members after the other are compared with all that stay so far, which gather
// at the front of the group's members.
__device__ void reduce_directly(const NmsView& view, const Group& group, unsigned* decided) {
  __shared__ float4 next[kWarp];
  __shared__ unsigned suppressed;
  const auto thread = static_cast<int>(threadIdx.x);
  const auto threads = static_cast<int>(blockDim.x);
  const int lane = thread % kWarp;
  float4* const members = view.members + group.image * view.num_boxes + group.begin;
  int total = 0;
  for (int first = 0; first < group.size && total < view.group_limit; first += kWarp) {
    const int size = min(group.size - first, kWarp);
    if (thread < size) next[thread] = members[first + thread];
    if (thread == 0) suppressed = 0;
    __syncthreads();
    unsigned bits = 0;
    for (int i = thread; i < total; i += threads) {
      const Box better = to_box(members[i]);
      const float area = box_area(better);
      for (int j = 0; j < size; ++j) {
        const Box box = to_box(next[j]);
        if (overlaps_more(better, area, box, box_area(box), view.threshold)) bits |= 1U << j;
      }
    }
    bits = __reduce_or_sync(kAllLanes, bits);
    if (lane == 0 && bits != 0) atomicOr(&suppressed, bits);
    __syncthreads();
    if (thread < kWarp) {
      const bool alive = lane < size && (suppressed >> lane & 1U) == 0;
      unsigned better = 0;
      if (alive) {
        const Box box = to_box(next[lane]);
        const float area = box_area(box);
        for (int i = 0; i < lane; ++i) {
          const Box other = to_box(next[i]);
          if (overlaps_more(other, box_area(other), box, area, view.threshold)) better |= 1U << i;
        }
      }
      const unsigned kept = lowest_bits(decide(alive, better), view.group_limit - total);
      if ((kept >> lane & 1U) != 0) {
        mark_kept(view, group.image, group.begin + first + lane);
        members[total + __popc(kept & ((1U << lane) - 1))] = next[lane];
      }
      if (lane == 0) *decided = kept;
    }
    __syncthreads();
    total += __popc(*decided);
  }
}

__global__ void __launch_bounds__(kMaxReduceThreads)
    nms_reduce_kernel(const __grid_constant__ NmsView view) {
  __shared__ unsigned decided[2];
  const int64_t image = blockIdx.y;
  const int64_t row = image * view.num_boxes;
  const auto num_heads = static_cast<unsigned>(view.num_heads[image]);
  for (unsigned i = blockIdx.x; i < num_heads; i += gridDim.x) {
    const int head = view.heads[row + i];
    const Group group{image, head, view.segments[row + head].y};
    if (group.size <= kWarp * view.mask_words) {
      reduce_by_mask(view, group, decided);
    } else {
      reduce_directly(view, group, decided);
    }
    __syncthreads();  // the next group writes `decided`
  }
}

// One block per image; a thread takes a rank at a time.
__global__ void __launch_bounds__(kMaxCompactThreads)
    nms_compact_kernel(const __grid_constant__ NmsView view) {
  const int64_t image = blockIdx.x;
  const int count = nms_count(view, image);
  const uint32_t* const kept_ranks = view.kept_ranks + image * view.kept_words;
  int32_t* const keep = view.keep + image * view.capacity;
  int64_t total = 0;
  for (int start = 0; start < count && total < view.capacity;
       start += static_cast<int>(blockDim.x)) {
    const int rank = start + static_cast<int>(threadIdx.x);
    const bool is_kept = rank < count && (kept_ranks[rank / kWarp] >> rank % kWarp & 1U) != 0;
    const Scan scan = block_scan(is_kept ? 1 : 0);
    const int64_t slot = total + scan.before;
    if (is_kept && slot < view.capacity) keep[slot] = view.ranked[image * view.num_boxes + rank];
    total += scan.total;
  }
  const int64_t size = total < view.capacity ? total : view.capacity;
  for (int64_t i = size + threadIdx.x; i < view.capacity; i += blockDim.x) keep[i] = 0;
  if (threadIdx.x == 0) view.kept[image] = static_cast<int32_t>(size);
}

// Threads for `count` items, whole warps.
unsigned block_for(int64_t count, int most) {
  return static_cast<unsigned>(std::min<int64_t>((count + kWarp - 1) / kWarp * kWarp, most));
}

int64_t largest_group(const NmsGeometry& geometry) {
  return std::min(geometry.boxes, std::max<int64_t>(geometry.params.max_group_size, 1));
}

int32_t words_of_mask(const NmsGeometry& geometry) {
  // A thread keeps a bit for each of its members of a group that has a mask.
  static_assert(8 * kMaxMaskBytes <= int64_t{64 * kMaxReduceThreads} * 64 * kMaxReduceThreads);
  const int64_t wanted = (largest_group(geometry) + kWarp - 1) / kWarp;
  const int64_t word_bytes = geometry.images * geometry.boxes * 4;
  return static_cast<int32_t>(std::min(wanted, kMaxMaskBytes / word_bytes));
}

NmsView make_view(const NmsGeometry& geometry, Workspace& workspace) {
  const int64_t all = geometry.images * geometry.boxes;
  NmsView view{};
  view.images = geometry.images;
  view.num_boxes = geometry.boxes;
  view.capacity = geometry.capacity;
  view.group_limit = static_cast<int32_t>(
      std::min({geometry.capacity, geometry.params.max_keep_per_group, geometry.boxes}));
  view.mask_words = words_of_mask(geometry);
  view.kept_words = (geometry.boxes + kWarp - 1) / kWarp;
  view.threshold = float_not_above(geometry.params.iou_threshold);
  if (geometry.boxes > kSharedSortKeys) view.keys = workspace.take<uint64_t>(all);
  view.ranked = workspace.take<int32_t>(all);
  view.member_rank = workspace.take<int32_t>(all);
  view.members = workspace.take<float4>(all);
  view.segments = workspace.take<int2>(all);
  view.heads = workspace.take<int32_t>(all);
  view.num_heads = workspace.take<int32_t>(geometry.images);
  view.kept_ranks = workspace.take<uint32_t>(geometry.images * view.kept_words);
  view.mask = workspace.take<uint32_t>(all * view.mask_words);
  return view;
}

void make_mask(const NmsView& view, Stream stream) {
  if (view.mask_words == 0) return;
  dim3 grid = blocks_for(view.num_boxes, kMaskThreads);
  grid.y = static_cast<unsigned>(view.mask_words);
  grid.z = static_cast<unsigned>(view.images);
  launch("nms_mask", nms_mask_kernel, {.grid = grid, .block = dim3(kMaskThreads), .stream = stream},
         view);
}

void reduce_groups(const NmsView& view, int64_t largest, Stream stream) {
  const int64_t most_groups = view.groups == nullptr ? 1 : view.num_boxes;
  dim3 grid = blocks_for(most_groups, 1, kMaxReduceBlocks);
  grid.y = static_cast<unsigned>(view.images);
  launch("nms_reduce", nms_reduce_kernel,
         {.grid = grid, .block = dim3(block_for(largest, kMaxReduceThreads)), .stream = stream},
         view);
}

}  // namespace

int64_t nms_workspace_bytes(const NmsGeometry& geometry) {
  if (geometry.images == 0 || geometry.capacity == 0) return 0;
  Workspace workspace(nullptr);
  make_view(geometry, workspace);
  return workspace.bytes();
}

void nms(const NmsGeometry& geometry, const float* boxes, const float* scores,
         const int32_t* groups, const int32_t* count, int32_t* keep, int32_t* kept,
         void* workspace_memory, Stream stream) {
  if (geometry.images == 0) return;
  if (geometry.capacity == 0) {
    const auto bytes = static_cast<size_t>(geometry.images) * sizeof(int32_t);
    MRCNN_CUDA_CHECK(cudaMemsetAsync(kept, 0, bytes, stream));
    return;
  }
  Workspace workspace(workspace_memory);
  NmsView view = make_view(geometry, workspace);
  view.boxes = reinterpret_cast<const float4*>(boxes);  // 16-byte loads
  view.scores = scores;
  view.groups = groups;
  view.count = count;
  view.keep = keep;
  view.kept = kept;
  nms_order(view, stream);
  make_mask(view, stream);
  reduce_groups(view, largest_group(geometry), stream);
  launch("nms_compact", nms_compact_kernel,
         {.grid = dim3(static_cast<unsigned>(geometry.images)),
          .block = dim3(block_for(view.num_boxes, kMaxCompactThreads)),
          .stream = stream},
         view);
}

}  // namespace mrcnn::cuda
