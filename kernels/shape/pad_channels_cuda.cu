#include "core/cuda/device_math.cuh"
#include "core/cuda/division.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/shape/pad_channels.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM on every GPU: full occupancy

// A thread per element of the output. Values are copied, not converted.
template <typename T>
__global__ void pad_channels_kernel(PadChannelsGeometry g, const T* __restrict__ input,
                                    T* __restrict__ output) {
  for (int64_t item = first_item(); item < g.rows * g.channels_out; item += item_stride()) {
    const auto [row, channel] = divide(item, g.channels_out);
    output[item] =
        channel < g.channels_in ? input[row * g.channels_in + channel] : from_float<T>(0.0F);
  }
}

template <typename T>
void pad_rows(const PadChannelsGeometry& g, const T* input, T* output, Stream stream) {
  const int64_t items = g.rows * g.channels_out;
  if (items == 0) return;
  launch("pad_channels", pad_channels_kernel<T>,
         {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, g, input,
         output);
}

}  // namespace

void pad_channels(const PadChannelsGeometry& geometry, const float* input, float* output,
                  Stream stream) {
  pad_rows(geometry, input, output, stream);
}

void pad_channels(const PadChannelsGeometry& geometry, const BFloat16* input, BFloat16* output,
                  Stream stream) {
  pad_rows(geometry, input, output, stream);
}

}  // namespace mrcnn::cuda
