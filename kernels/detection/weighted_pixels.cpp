#include "kernels/detection/weighted_pixels.h"

#include "core/target_clones.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kLanes = 16;
using Vector = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

struct Pixels {
  const WeightedPixel* begin;
  size_t count;
};

// Inlined into each clone, so that it is compiled for that instruction set.
template <bool kAdd>
inline __attribute__((always_inline)) void run(const float* data, Pixels pixels, int64_t channels,
                                               float* output) {
  int64_t c = 0;
  for (; c + 4 * kLanes <= channels; c += 4 * kLanes) {
    Vector sum0{};
    Vector sum1{};
    Vector sum2{};
    Vector sum3{};
    for (size_t i = 0; i < pixels.count; ++i) {
      const auto* x = reinterpret_cast<const Vector*>(data + pixels.begin[i].offset + c);
      const float weight = pixels.begin[i].weight;
      sum0 += weight * x[0];
      sum1 += weight * x[1];
      sum2 += weight * x[2];
      sum3 += weight * x[3];
    }
    auto* y = reinterpret_cast<Vector*>(output + c);
    y[0] = kAdd ? y[0] + sum0 : sum0;
    y[1] = kAdd ? y[1] + sum1 : sum1;
    y[2] = kAdd ? y[2] + sum2 : sum2;
    y[3] = kAdd ? y[3] + sum3 : sum3;
  }
  for (; c + kLanes <= channels; c += kLanes) {
    Vector sum{};
    for (size_t i = 0; i < pixels.count; ++i) {
      sum += pixels.begin[i].weight *
             *reinterpret_cast<const Vector*>(data + pixels.begin[i].offset + c);
    }
    auto* y = reinterpret_cast<Vector*>(output + c);
    *y = kAdd ? *y + sum : sum;
  }
  for (; c < channels; ++c) {
    float sum = 0;
    for (size_t i = 0; i < pixels.count; ++i) {
      sum += pixels.begin[i].weight * data[pixels.begin[i].offset + c];
    }
    output[c] = kAdd ? output[c] + sum : sum;
  }
}

MRCNN_TARGET_CLONES
void run_sum(const float* data, Pixels pixels, int64_t channels, float* output) {
  run<false>(data, pixels, channels, output);
}

MRCNN_TARGET_CLONES
void run_add(const float* data, Pixels pixels, int64_t channels, float* output) {
  run<true>(data, pixels, channels, output);
}

}  // namespace

void sum_pixels(const float* data, std::span<const WeightedPixel> pixels, int64_t channels,
                float* output) {
  run_sum(data, {pixels.data(), pixels.size()}, channels, output);
}

void add_pixels(const float* data, std::span<const WeightedPixel> pixels, int64_t channels,
                float* output) {
  run_add(data, {pixels.data(), pixels.size()}, channels, output);
}

}  // namespace mrcnn::cpu
