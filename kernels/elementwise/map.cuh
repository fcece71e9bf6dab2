// Element-by-element ops: out[i] = f(a[i], b[i], ...) for inputs and output of one type, computed
// in f32. Reads and writes 16 bytes at a time where all tensors allow it.
#pragma once

#include "core/cuda/device_math.cuh"
#include "core/cuda/element_vector.cuh"
#include "core/cuda/launch.cuh"

namespace mrcnn::cuda {

inline constexpr int kMapBlock = 256;  // divides the threads of an SM on every GPU: full occupancy

// The first loop takes whole packs, the second what is left of the last one.
template <int kWidth, typename T, typename F, typename... Inputs>
__global__ void map_kernel(int64_t count, F f, T* __restrict__ output,
                           const Inputs* __restrict__... inputs) {
  const int64_t packs = count / kWidth;
  for (int64_t i = first_item(); i < packs; i += item_stride()) {
    const auto apply = [&f](const auto&... packed) {
      Pack<kWidth> result;
#pragma unroll
      for (int k = 0; k < kWidth; ++k) result.values[k] = f(packed.values[k]...);
      return result;
    };
    store_pack<kWidth>(output + i * kWidth, apply(load_pack<kWidth>(inputs + i * kWidth)...));
  }
  for (int64_t i = packs * kWidth + first_item(); i < count; i += item_stride()) {
    output[i] = from_float<T>(f(to_float(inputs[i])...));
  }
}

// f takes and returns f32, and is a struct with a __device__ call operator.
template <typename T, typename F, typename... Inputs>
void map(const char* name, int64_t count, const F& f, Stream stream, T* output,
         const Inputs*... inputs) {
  if (count == 0) return;
  const bool packed = start_on_16_bytes(output, inputs...);
  const auto kernel =
      packed ? map_kernel<kPackSize<T>, T, F, Inputs...> : map_kernel<1, T, F, Inputs...>;
  const int64_t width = packed ? kPackSize<T> : 1;
  launch(name, kernel,
         {.grid = blocks_for((count + width - 1) / width, kMapBlock),
          .block = dim3(kMapBlock),
          .stream = stream},
         count, f, output, inputs...);
}

}  // namespace mrcnn::cuda
