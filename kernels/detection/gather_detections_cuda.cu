#include "core/cuda/launch.cuh"
#include "kernels/detection/gather_detections.h"
#include "kernels/detection/gather_detections_math.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 128;  // 100 to 1000 slots an image: small blocks reach more SMs

__global__ void gather_detections_kernel(GatherView view) {
  const int64_t total = view.images * view.capacity;
  for (int64_t i = first_item(); i < total; i += item_stride()) {
    gather_slot(view, i / view.capacity, i % view.capacity);
  }
}

__global__ void proposal_rois_kernel(int64_t images, int64_t capacity,
                                     const float* __restrict__ boxes,
                                     const int32_t* __restrict__ count, float* __restrict__ rois) {
  const int64_t total = images * capacity;
  for (int64_t i = first_item(); i < total; i += item_stride()) {
    gather_roi(capacity, i / capacity, i % capacity, boxes, count, rois);
  }
}

}  // namespace

void gather_detections(const GatherView& view, Stream stream) {
  const int64_t total = view.images * view.capacity;
  if (total == 0) return;
  launch("gather_detections", gather_detections_kernel,
         {.grid = blocks_for(total, kBlock), .block = dim3(kBlock), .stream = stream}, view);
}

void proposal_rois(int64_t images, int64_t capacity, const float* boxes, const int32_t* count,
                   float* rois, Stream stream) {
  const int64_t total = images * capacity;
  if (total == 0) return;
  launch("proposal_rois", proposal_rois_kernel,
         {.grid = blocks_for(total, kBlock), .block = dim3(kBlock), .stream = stream}, images,
         capacity, boxes, count, rois);
}

}  // namespace mrcnn::cuda
