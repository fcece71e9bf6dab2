#include "core/cuda/device_math.cuh"
#include "core/cuda/division.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/detection/gather_anchors.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 128;  // a few thousand numbers: many small blocks spread over the SMs

// A thread per number of the output. Values are copied, not converted.
template <typename T>
__global__ void gather_anchors_kernel(AnchorGather gather, AnchorMaps<const T> maps,
                                      const int32_t* __restrict__ indices, T* __restrict__ output) {
  const int64_t items = gather.images * gather.samples * gather.width;
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const auto [row, column] = divide(item, gather.width);
    const AnchorPlace place =
        find_anchor(gather.table, divide(row, gather.samples).quotient, indices[row]);
    output[item] = place.level < 0 ? from_float<T>(0.0F)
                                   : maps.data[place.level][place.anchor * gather.width + column];
  }
}

// Distinct indices of an image: no two threads write one address.
template <typename T>
__global__ void gather_anchors_backward_kernel(AnchorGather gather,
                                               const T* __restrict__ grad_output,
                                               const int32_t* __restrict__ indices,
                                               AnchorMaps<T> grad_maps) {
  const int64_t items = gather.images * gather.samples * gather.width;
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const auto [row, column] = divide(item, gather.width);
    const AnchorPlace place =
        find_anchor(gather.table, divide(row, gather.samples).quotient, indices[row]);
    if (place.level < 0 || grad_maps.data[place.level] == nullptr) continue;
    grad_maps.data[place.level][place.anchor * gather.width + column] = grad_output[item];
  }
}

template <typename T>
void gather_rows(const AnchorGather& gather, const AnchorMaps<const T>& maps,
                 const int32_t* indices, T* output, Stream stream) {
  const int64_t items = gather.images * gather.samples * gather.width;
  if (items == 0) return;
  launch("gather_anchors", gather_anchors_kernel<T>,
         {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, gather, maps,
         indices, output);
}

template <typename T>
void scatter_rows(const AnchorGather& gather, const T* grad_output, const int32_t* indices,
                  const AnchorMaps<T>& grad_maps, Stream stream) {
  const int64_t items = gather.images * gather.samples * gather.width;
  if (items == 0) return;
  launch("gather_anchors_backward", gather_anchors_backward_kernel<T>,
         {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, gather,
         grad_output, indices, grad_maps);
}

}  // namespace

void gather_anchors(const AnchorGather& gather, const AnchorMaps<const float>& maps,
                    const int32_t* indices, float* output, Stream stream) {
  gather_rows(gather, maps, indices, output, stream);
}

void gather_anchors(const AnchorGather& gather, const AnchorMaps<const BFloat16>& maps,
                    const int32_t* indices, BFloat16* output, Stream stream) {
  gather_rows(gather, maps, indices, output, stream);
}

void gather_anchors_backward(const AnchorGather& gather, const float* grad_output,
                             const int32_t* indices, const AnchorMaps<float>& grad_maps,
                             Stream stream) {
  scatter_rows(gather, grad_output, indices, grad_maps, stream);
}

void gather_anchors_backward(const AnchorGather& gather, const BFloat16* grad_output,
                             const int32_t* indices, const AnchorMaps<BFloat16>& grad_maps,
                             Stream stream) {
  scatter_rows(gather, grad_output, indices, grad_maps, stream);
}

}  // namespace mrcnn::cuda
