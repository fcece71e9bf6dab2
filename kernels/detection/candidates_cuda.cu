// Two launches: one warp per RoI selects into slots that belong to that RoI, then the slots are
// compacted.
#include <cmath>

#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/detection/box_pack.cuh"
#include "kernels/detection/candidates.h"
#include "kernels/detection/compact_slots.cuh"
#include "kernels/elementwise/exp_f32.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 128;  // 4 RoIs: 1000 of them spread over all SMs of an H100

// Maximum and sum of a RoI's exponentials, the same in all lanes.
struct SoftmaxRow {
  float largest;
  float sum;
};

// Logits of NaN make the sum NaN, whatever the maximum is then.
template <typename T>
__device__ SoftmaxRow reduce_row(const T* logits, int64_t classes, int lane) {
  float largest = -INFINITY;
  for (int64_t c = lane; c < classes; c += kWarp) largest = fmaxf(largest, to_float(logits[c]));
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, offset));
  }
  float sum = 0;
  for (int64_t c = lane; c < classes; c += kWarp) sum += exp_f32(to_float(logits[c]) - largest);
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    sum += __shfl_xor_sync(kAllLanes, sum, offset);
  }
  return {largest, sum};
}

template <typename T>
__device__ Box decode_class(const T* deltas, const Box& proposal, const float* image_size,
                            const BoxWeights& weights) {
  const float values[4] = {to_float(deltas[0]), to_float(deltas[1]), to_float(deltas[2]),
                           to_float(deltas[3])};
  return clip_box(decode_box(values, proposal, weights), image_size[0], image_size[1]);
}

// The RoI's candidates into its slots; returns how many. For whole warps.
template <typename T>
__device__ int select_classes(const CandidateGeometry& g, const T* logits, const T* deltas,
                              const Box& proposal, const float* image_size, int64_t first_slot,
                              const CandidateLists& found, int lane) {
  const SoftmaxRow row = reduce_row(logits, g.classes, lane);
  int used = 0;
  for (int64_t base = 0; base < g.classes; base += kWarp) {
    const int64_t c = base + lane;
    float score = 0;
    Box box{};
    bool selected = false;
    if (c > 0 && c < g.classes) {
      score = exp_f32(to_float(logits[c]) - row.largest) / row.sum;
      selected = g.params.strict_greater ? score > g.params.score_threshold
                                         : score >= g.params.score_threshold;
    }
    if (selected) {
      box = decode_class(deltas + 4 * c, proposal, image_size, g.params.weights);
      selected = has_min_size(box, g.params.min_size);
    }
    const unsigned ballot = __ballot_sync(kAllLanes, selected);
    const int slot = used + __popc(ballot & ((1U << lane) - 1U));
    if (selected && slot < g.slots) {
      store_box(found.boxes + 4 * (first_slot + slot), box);
      found.scores[first_slot + slot] = score;
      found.labels[first_slot + slot] = static_cast<int32_t>(c);
    }
    used += __popc(ballot);
  }
  return static_cast<int>(min(int64_t{used}, g.slots));
}

template <typename T>
__global__ void select_candidates_kernel(CandidateGeometry g, const T* __restrict__ class_logits,
                                         const T* __restrict__ box_deltas,
                                         const float* __restrict__ proposals,
                                         const int32_t* __restrict__ proposal_count,
                                         const float* __restrict__ image_sizes,
                                         CandidateLists found) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t roi = first_item() / kWarp;  // of all images
  if (roi < g.images * g.rois) {
    const int64_t image = roi / g.rois;
    int used = 0;
    if (proposal_count == nullptr || roi % g.rois < proposal_count[image]) {
      used = select_classes(g, class_logits + roi * g.logits_stride,
                            box_deltas + roi * g.deltas_stride, load_box(proposals + 4 * roi),
                            image_sizes + 2 * image, roi * g.slots, found, lane);
    }
    if (lane == 0) found.count[roi] = used;
  }
}

template <typename T>
void select(const CandidateGeometry& g, const T* class_logits, const T* box_deltas,
            const float* proposals, const int32_t* proposal_count, const float* image_sizes,
            const CandidateLists& found, const CandidateLists& output, Stream stream) {
  launch("select_candidates", select_candidates_kernel<T>,
         {.grid = blocks_for(g.images * g.rois, kBlock / kWarp),
          .block = dim3(kBlock),
          .stream = stream},
         g, class_logits, box_deltas, proposals, proposal_count, image_sizes, found);
  compact_slots("select_candidates_compact",
                {.images = g.images,
                 .groups = g.rois,
                 .slots = g.slots,
                 .capacity = g.rois * g.slots,
                 .used = found.count,
                 .boxes = found.boxes,
                 .scores = found.scores,
                 .labels = found.labels,
                 .output_boxes = output.boxes,
                 .output_scores = output.scores,
                 .output_labels = output.labels,
                 .output_count = output.count},
                stream);
}

}  // namespace

void select_candidates(const CandidateGeometry& geometry, const float* class_logits,
                       const float* box_deltas, const float* proposals,
                       const int32_t* proposal_count, const float* image_sizes,
                       const CandidateLists& found, const CandidateLists& output, Stream stream) {
  select(geometry, class_logits, box_deltas, proposals, proposal_count, image_sizes, found, output,
         stream);
}

void select_candidates(const CandidateGeometry& geometry, const BFloat16* class_logits,
                       const BFloat16* box_deltas, const float* proposals,
                       const int32_t* proposal_count, const float* image_sizes,
                       const CandidateLists& found, const CandidateLists& output, Stream stream) {
  select(geometry, class_logits, box_deltas, proposals, proposal_count, image_sizes, found, output,
         stream);
}

}  // namespace mrcnn::cuda
