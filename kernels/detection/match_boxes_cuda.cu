// A thread per ref, the objects in shared memory. IoUs are computed twice instead of being stored:
// first for each object's best, by maxima of integers, whose order makes no difference, then for
// the labels.
#include "core/cuda/launch.cuh"
#include "kernels/detection/box_pack.cuh"
#include "kernels/detection/match_boxes.h"
#include "kernels/detection/match_boxes_math.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;
constexpr int kAtOnce = 128;  // objects in shared memory: few images have more

struct SharedObjects {
  float4 box[kAtOnce];
  float area[kAtOnce];
  float best[kAtOnce];
};

__device__ Box as_box(const float4& box) { return {box.x, box.y, box.z, box.w}; }

// Objects [begin, begin + count) of an image. All threads come.
__device__ void load_objects(SharedObjects& objects, const float* boxes, const int32_t* best,
                             int64_t begin, int count) {
  __syncthreads();  // the ones before are still in use
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kBlock) {
    const Box box = load_box(boxes + 4 * (begin + i));
    objects.box[i] = make_float4(box.x1, box.y1, box.x2, box.y2);
    objects.area[i] = box_area(box);
    if (best != nullptr) objects.best[i] = __int_as_float(best[begin + i]);
  }
  __syncthreads();
}

struct Ref {
  int64_t index;
  bool valid;
  Box box;
  float area;
};

__device__ Ref load_ref(const MatchView& view, int64_t image) {
  Ref ref{first_item(), false, {}, 0.0F};
  const int64_t count =
      view.ref_count == nullptr ? view.refs : clamp_count(view.ref_count[image], view.refs);
  ref.valid = ref.index < count;
  if (ref.valid) {
    ref.box = load_box(view.ref_boxes + 4 * (image * view.refs_stride + ref.index));
    ref.area = box_area(ref.box);
  }
  return ref;
}

// Block (x, n): refs x * kBlock.. of image n.
__global__ void __launch_bounds__(kBlock)
    match_boxes_best_kernel(MatchView view, int32_t* __restrict__ gt_best) {
  __shared__ SharedObjects objects;
  const int64_t image = blockIdx.y;
  const Ref ref = load_ref(view, image);
  const int64_t total = clamp_count(view.gt_count[image], view.objects);
  const int64_t first = image * view.objects;
  for (int64_t begin = 0; begin < total; begin += kAtOnce) {
    const int count = static_cast<int>(total - begin < kAtOnce ? total - begin : kAtOnce);
    load_objects(objects, view.gt_boxes + 4 * first, nullptr, begin, count);
    for (int g = 0; g < count; ++g) {
      const float iou =
          ref.valid ? match_iou(ref.box, ref.area, as_box(objects.box[g]), objects.area[g]) : 0.0F;
      // Numbers that are not negative are ordered like their bits.
      const int bits = iou > 0.0F ? __float_as_int(iou) : 0;
      const int top = __reduce_max_sync(kAllLanes, bits);
      if (threadIdx.x % kWarp == 0 && top > 0) atomicMax(gt_best + first + begin + g, top);
    }
  }
}

__global__ void __launch_bounds__(kBlock)
    match_boxes_label_kernel(MatchView view, MatchParams params,
                             const int32_t* __restrict__ gt_best) {
  __shared__ SharedObjects objects;
  const int64_t image = blockIdx.y;
  const Ref ref = load_ref(view, image);
  const int64_t total = clamp_count(view.gt_count[image], view.objects);
  const int64_t first = image * view.objects;
  float best = 0;
  int32_t index = 0;
  bool raised = false;
  for (int64_t begin = 0; begin < total; begin += kAtOnce) {
    const int count = static_cast<int>(total - begin < kAtOnce ? total - begin : kAtOnce);
    load_objects(objects, view.gt_boxes + 4 * first, gt_best + first, begin, count);
    for (int g = 0; ref.valid && g < count; ++g) {
      const float iou = match_iou(ref.box, ref.area, as_box(objects.box[g]), objects.area[g]);
      if (iou > best) {
        best = iou;
        index = static_cast<int32_t>(begin + g);
      }
      raised |= params.low_quality && iou == objects.best[g] && raises_refs(iou, params);
    }
  }
  if (ref.index < view.refs) {
    int32_t label = kIgnored;
    if (ref.valid && total == 0) label = kBackground;
    if (ref.valid && total > 0) label = raised ? index : match_label(best, index, params);
    view.matched[image * view.refs + ref.index] = label;
  }
}

}  // namespace

void match_boxes(const MatchView& view, const MatchParams& params, int32_t* gt_best,
                 Stream stream) {
  if (view.images == 0 || view.refs == 0) return;
  dim3 grid = blocks_for(view.refs, kBlock);
  grid.y = static_cast<unsigned>(view.images);
  if (params.low_quality) {
    launch("match_boxes_best", match_boxes_best_kernel,
           {.grid = grid, .block = dim3(kBlock), .stream = stream}, view, gt_best);
  }
  launch("match_boxes_label", match_boxes_label_kernel,
         {.grid = grid, .block = dim3(kBlock), .stream = stream}, view, params, gt_best);
}

}  // namespace mrcnn::cuda
