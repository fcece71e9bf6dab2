#include "core/cuda/device_math.cuh"
#include "core/cuda/division.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/shape/select_class.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM on every GPU: full occupancy

// A thread per element of the output. Values are copied, not converted.
template <typename T>
__global__ void select_class_kernel(SelectClassGeometry g, const T* __restrict__ input,
                                    const int32_t* __restrict__ labels, T* __restrict__ output) {
  for (int64_t item = first_item(); item < g.rows * g.width; item += item_stride()) {
    const auto [row, column] = divide(item, g.width);
    const int64_t label = labels[row];
    output[item] = label >= 0 && label < g.classes
                       ? input[(row * g.classes + label) * g.width + column]
                       : from_float<T>(0.0F);
  }
}

// A thread per element of the gradient, so that each is written once.
template <typename T>
__global__ void select_class_backward_kernel(SelectClassGeometry g,
                                             const T* __restrict__ grad_output,
                                             const int32_t* __restrict__ labels,
                                             T* __restrict__ grad_input) {
  for (int64_t item = first_item(); item < g.rows * g.classes * g.width; item += item_stride()) {
    const auto [row, column] = divide(item, g.classes * g.width);
    const int64_t offset = column - labels[row] * g.width;
    grad_input[item] =
        offset >= 0 && offset < g.width ? grad_output[row * g.width + offset] : from_float<T>(0.0F);
  }
}

template <typename T>
void select_rows(const SelectClassGeometry& g, const T* input, const int32_t* labels, T* output,
                 Stream stream) {
  if (g.rows == 0) return;
  launch("select_class", select_class_kernel<T>,
         {.grid = blocks_for(g.rows * g.width, kBlock), .block = dim3(kBlock), .stream = stream}, g,
         input, labels, output);
}

template <typename T>
void spread_rows(const SelectClassGeometry& g, const T* grad_output, const int32_t* labels,
                 T* grad_input, Stream stream) {
  const int64_t items = g.rows * g.classes * g.width;
  if (items == 0) return;
  launch("select_class_backward", select_class_backward_kernel<T>,
         {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, g,
         grad_output, labels, grad_input);
}

}  // namespace

void select_class(const SelectClassGeometry& geometry, const float* input, const int32_t* labels,
                  float* output, Stream stream) {
  select_rows(geometry, input, labels, output, stream);
}

void select_class(const SelectClassGeometry& geometry, const BFloat16* input, const int32_t* labels,
                  BFloat16* output, Stream stream) {
  select_rows(geometry, input, labels, output, stream);
}

void select_class_backward(const SelectClassGeometry& geometry, const float* grad_output,
                           const int32_t* labels, float* grad_input, Stream stream) {
  spread_rows(geometry, grad_output, labels, grad_input, stream);
}

void select_class_backward(const SelectClassGeometry& geometry, const BFloat16* grad_output,
                           const int32_t* labels, BFloat16* grad_input, Stream stream) {
  spread_rows(geometry, grad_output, labels, grad_input, stream);
}

}  // namespace mrcnn::cuda
