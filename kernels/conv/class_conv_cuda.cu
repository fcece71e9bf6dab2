#include "core/cuda/device_math.cuh"
#include "core/cuda/division.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/conv/class_conv.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM: full occupancy
constexpr int kWarps = kBlock / kWarp;
constexpr int kSumBlock = 128;  // threads over channels: two rounds for a mask head's 256

// One warp, one pixel.
template <int kWidth, typename T>
__global__ void class_conv_kernel(ClassConvGeometry g, const T* __restrict__ input,
                                  const T* __restrict__ weight, const float* __restrict__ bias,
                                  const int32_t* __restrict__ labels, T* __restrict__ output) {
  const auto warp = static_cast<int>(threadIdx.x / kWarp);
  const auto lane = static_cast<int>(threadIdx.x % kWarp);
  const int64_t count = g.rois * g.pixels;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kWarps;
  for (int64_t pixel = static_cast<int64_t>(blockIdx.x) * kWarps + warp; pixel < count;
       pixel += stride) {
    const int32_t label = labels[divide(pixel, g.pixels).quotient];
    const bool is_used = g.is_used(label);
    float sum = 0;
    if (is_used) {
      for (int64_t c = lane * kWidth; c < g.channels; c += kWarp * kWidth) {
        const Pack<kWidth> x = load_pack<kWidth>(input + pixel * g.channels + c);
        const Pack<kWidth> w = load_pack<kWidth>(weight + label * g.channels + c);
#pragma unroll
        for (int k = 0; k < kWidth; ++k) sum = fmaf(x.values[k], w.values[k], sum);
      }
    }
    for (int distance = kWarp / 2; distance > 0; distance /= 2) {
      sum += __shfl_xor_sync(kAllLanes, sum, distance);
    }
    if (lane == 0) {
      output[pixel] = from_float<T>(is_used && bias != nullptr ? sum + bias[label] : sum);
    }
  }
}

// One thread, one pack of channels of a pixel.
template <int kWidth, typename T>
__global__ void class_conv_grad_input_kernel(ClassConvGeometry g, const T* __restrict__ grad_output,
                                             const T* __restrict__ weight,
                                             const int32_t* __restrict__ labels,
                                             T* __restrict__ grad_input) {
  const int64_t packs = g.channels / kWidth;
  const int64_t count = g.rois * g.pixels * packs;
  for (int64_t i = first_item(); i < count; i += item_stride()) {
    const auto [pixel, pack] = divide(i, packs);
    const int32_t label = labels[divide(pixel, g.pixels).quotient];
    Pack<kWidth> result{};
    if (g.is_used(label)) {
      const float factor = to_float(grad_output[pixel]);
      result = load_pack<kWidth>(weight + label * g.channels + pack * kWidth);
#pragma unroll
      for (int k = 0; k < kWidth; ++k) result.values[k] *= factor;
    }
    store_pack<kWidth>(grad_input + i * kWidth, result);
  }
}

// One thread block, the sums over kClassConvPixels pixels of a RoI that is used; its last column is
// the bias's, whose input is one everywhere.
template <typename T>
__global__ void class_conv_partial_kernel(ClassConvGeometry g, int64_t blocks,
                                          const T* __restrict__ grad_output,
                                          const T* __restrict__ input,
                                          const int32_t* __restrict__ labels,
                                          float* __restrict__ partial) {
  const int64_t roi = static_cast<int64_t>(blockIdx.x) / blocks;
  const int64_t block = static_cast<int64_t>(blockIdx.x) % blocks;
  if (!g.is_used(labels[roi])) return;
  const int64_t begin = block * kClassConvPixels;
  const int64_t end = begin + kClassConvPixels < g.pixels ? begin + kClassConvPixels : g.pixels;
  const T* const grad = grad_output + roi * g.pixels;
  const T* const x = input + roi * g.pixels * g.channels;
  float* const sums = partial + static_cast<int64_t>(blockIdx.x) * (g.channels + 1);
  for (int64_t c = threadIdx.x; c <= g.channels; c += kSumBlock) {
    float sum = 0;
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      const float value = c < g.channels ? to_float(x[pixel * g.channels + c]) : 1.0F;
      sum = fmaf(to_float(grad[pixel]), value, sum);
    }
    sums[c] = sum;
  }
}

// One thread, one element of grad_weight or grad_bias: the sums of the class's RoIs, in order.
template <typename T>
__global__ void class_conv_grad_weight_kernel(ClassConvGeometry g, int64_t blocks,
                                              const float* __restrict__ partial,
                                              const int32_t* __restrict__ labels,
                                              T* __restrict__ grad_weight,
                                              float* __restrict__ grad_bias) {
  const int64_t columns = g.channels + 1;
  for (int64_t i = first_item(); i < g.classes * columns; i += item_stride()) {
    const auto [label, c] = divide(i, columns);
    float sum = 0;
    for (int64_t roi = 0; roi < g.rois; ++roi) {
      if (labels[roi] != label) continue;
      for (int64_t block = 0; block < blocks; ++block) {
        sum += partial[(roi * blocks + block) * columns + c];
      }
    }
    if (c < g.channels) {
      grad_weight[label * g.channels + c] = from_float<T>(sum);
    } else if (grad_bias != nullptr) {
      grad_bias[label] = sum;
    }
  }
}

}  // namespace

template <typename T>
void class_conv(const ClassConvGeometry& g, const T* input, const T* weight, const float* bias,
                const int32_t* labels, T* output, Stream stream) {
  const int64_t count = g.rois * g.pixels;
  if (count == 0) return;
  with_pack_width<T>(g.channels, [&](auto width) {
    launch("class_conv", class_conv_kernel<decltype(width)::value, T>,
           {.grid = blocks_for(count, kWarps), .block = dim3(kBlock), .stream = stream}, g, input,
           weight, bias, labels, output);
  });
}

template <typename T>
void class_conv_grad_input(const ClassConvGeometry& g, const T* grad_output, const T* weight,
                           const int32_t* labels, T* grad_input, Stream stream) {
  const int64_t count = g.rois * g.pixels * g.channels;
  if (count == 0) return;
  with_pack_width<T>(g.channels, [&](auto width) {
    constexpr int kWidth = decltype(width)::value;
    launch("class_conv_grad_input", class_conv_grad_input_kernel<kWidth, T>,
           {.grid = blocks_for(count / kWidth, kBlock), .block = dim3(kBlock), .stream = stream}, g,
           grad_output, weight, labels, grad_input);
  });
}

template <typename T>
void class_conv_grad_weight(const ClassConvGeometry& g, const T* grad_output, const T* input,
                            const int32_t* labels, float* partial, T* grad_weight, float* grad_bias,
                            Stream stream) {
  const int64_t blocks = class_conv_blocks(g);
  if (g.rois * blocks > 0) {
    launch("class_conv_partial", class_conv_partial_kernel<T>,
           {.grid = blocks_for(g.rois * blocks, 1), .block = dim3(kSumBlock), .stream = stream}, g,
           blocks, grad_output, input, labels, partial);
  }
  launch("class_conv_grad_weight", class_conv_grad_weight_kernel<T>,
         {.grid = blocks_for(g.classes * (g.channels + 1), kBlock),
          .block = dim3(kBlock),
          .stream = stream},
         g, blocks, partial, labels, grad_weight, grad_bias);
}

template void class_conv(const ClassConvGeometry&, const float*, const float*, const float*,
                         const int32_t*, float*, Stream);
template void class_conv(const ClassConvGeometry&, const BFloat16*, const BFloat16*, const float*,
                         const int32_t*, BFloat16*, Stream);
template void class_conv_grad_input(const ClassConvGeometry&, const float*, const float*,
                                    const int32_t*, float*, Stream);
template void class_conv_grad_input(const ClassConvGeometry&, const BFloat16*, const BFloat16*,
                                    const int32_t*, BFloat16*, Stream);
template void class_conv_grad_weight(const ClassConvGeometry&, const float*, const float*,
                                     const int32_t*, float*, float*, float*, Stream);
template void class_conv_grad_weight(const ClassConvGeometry&, const BFloat16*, const BFloat16*,
                                     const int32_t*, float*, BFloat16*, float*, Stream);

}  // namespace mrcnn::cuda
