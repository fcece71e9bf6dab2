#include "core/primitives_cuda.h"

#include "core/cast_math.h"
#include "core/cuda/device_math.cuh"
#include "core/cuda/element_vector.cuh"
#include "core/cuda/launch.cuh"
#include "core/dispatch_dtype.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM on every GPU: full occupancy

// In each kernel the first loop takes whole vectors, the second what is left of the last one.
template <int kWidth, typename Word>
__global__ void fill_kernel(int64_t count, Word word, Word* __restrict__ output) {
  ElementVector<Word, kWidth> vector;
#pragma unroll
  for (int k = 0; k < kWidth; ++k) vector.values[k] = word;
  const int64_t vectors = count / kWidth;
  for (int64_t i = first_item(); i < vectors; i += item_stride()) {
    store_vector(output + i * kWidth, vector);
  }
  for (int64_t i = vectors * kWidth + first_item(); i < count; i += item_stride()) output[i] = word;
}

// sum and addend may be the same memory, so nothing is __restrict__.
template <int kWidth, typename T>
__global__ void accumulate_kernel(int64_t count, const T* addend, T* sum) {
  const auto add = [](T a, T b) { return from_float<T>(to_float(a) + to_float(b)); };
  const int64_t vectors = count / kWidth;
  for (int64_t i = first_item(); i < vectors; i += item_stride()) {
    ElementVector<T, kWidth> result = load_vector<kWidth>(sum + i * kWidth);
    const ElementVector<T, kWidth> more = load_vector<kWidth>(addend + i * kWidth);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) result.values[k] = add(result.values[k], more.values[k]);
    store_vector(sum + i * kWidth, result);
  }
  for (int64_t i = vectors * kWidth + first_item(); i < count; i += item_stride()) {
    sum[i] = add(sum[i], addend[i]);
  }
}

template <int kWidth, typename From, typename To>
__global__ void cast_kernel(int64_t count, const From* __restrict__ input,
                            To* __restrict__ output) {
  const int64_t vectors = count / kWidth;
  for (int64_t i = first_item(); i < vectors; i += item_stride()) {
    const ElementVector<From, kWidth> from = load_vector<kWidth>(input + i * kWidth);
    ElementVector<To, kWidth> to;
#pragma unroll
    for (int k = 0; k < kWidth; ++k) to.values[k] = convert<To>(from.values[k]);
    store_vector(output + i * kWidth, to);
  }
  for (int64_t i = vectors * kWidth + first_item(); i < count; i += item_stride()) {
    output[i] = convert<To>(input[i]);
  }
}

LaunchConfig config_for(int64_t count, int64_t width, Stream stream) {
  return {.grid = blocks_for((count + width - 1) / width, kBlock),
          .block = dim3(kBlock),
          .stream = stream};
}

template <typename Word>
void fill_words(int64_t count, Word word, std::byte* output, Stream stream) {
  constexpr int kWidth = kPackSize<Word>;
  const bool aligned = start_on_16_bytes(output);
  launch("fill_", aligned ? fill_kernel<kWidth, Word> : fill_kernel<1, Word>,
         config_for(count, aligned ? kWidth : 1, stream), count, word,
         reinterpret_cast<Word*>(output));
}

template <typename T>
void accumulate_elements(int64_t count, const T* addend, T* sum, Stream stream) {
  if (count == 0) return;
  constexpr int kWidth = kPackSize<T>;
  const bool aligned = start_on_16_bytes(addend, sum);
  launch("accumulate_", aligned ? accumulate_kernel<kWidth, T> : accumulate_kernel<1, T>,
         config_for(count, aligned ? kWidth : 1, stream), count, addend, sum);
}

// The wider of the two types moves 16 bytes an access.
template <typename From, typename To>
void cast_elements(int64_t count, const std::byte* input, std::byte* output, Stream stream) {
  constexpr int kWidth = kPackSize<From> < kPackSize<To> ? kPackSize<From> : kPackSize<To>;
  const bool aligned = start_on_16_bytes(input, output);
  launch("cast", aligned ? cast_kernel<kWidth, From, To> : cast_kernel<1, From, To>,
         config_for(count, aligned ? kWidth : 1, stream), count,
         reinterpret_cast<const From*>(input), reinterpret_cast<To*>(output));
}

}  // namespace

void fill(int64_t count, int64_t element_bytes, uint64_t bits, std::byte* output, Stream stream) {
  if (count == 0) return;
  switch (element_bytes) {
    case 1:
      return fill_words(count, static_cast<uint8_t>(bits), output, stream);
    case 2:
      return fill_words(count, static_cast<uint16_t>(bits), output, stream);
    case 4:
      return fill_words(count, static_cast<uint32_t>(bits), output, stream);
    default:
      return fill_words(count, bits, output, stream);
  }
}

void accumulate(int64_t count, const float* addend, float* sum, Stream stream) {
  accumulate_elements(count, addend, sum, stream);
}

void accumulate(int64_t count, const BFloat16* addend, BFloat16* sum, Stream stream) {
  accumulate_elements(count, addend, sum, stream);
}

void cast(int64_t count, DType input_dtype, const std::byte* input, DType output_dtype,
          std::byte* output, Stream stream) {
  if (count == 0) return;
  dispatch_dtype(input_dtype, [&](auto from_tag) {
    dispatch_dtype(output_dtype, [&](auto to_tag) {
      using From = typename decltype(from_tag)::type;
      using To = typename decltype(to_tag)::type;
      cast_elements<From, To>(count, input, output, stream);
    });
  });
}

}  // namespace mrcnn::cuda
