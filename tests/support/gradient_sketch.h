// How far a gradient is from a reference of which only its length and random projections are kept
// (tests/golden/make_training_goldens.py).
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "core/fnv1a.h"
#include "core/primitives.h"
#include "core/tensor.h"

namespace mrcnn::test {

inline constexpr int64_t kProjections = 32;
inline constexpr uint64_t kSketchSeed = 77;

// 64 signs for element i of a tensor: one bit each.
inline uint64_t sketch_signs(uint64_t base, int64_t i) {
  uint64_t z = base + (static_cast<uint64_t>(i) + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// gradient: f32 or f64, in the order of weight files. reference [1 + 32] f64: the length and the
// projections. Returns an estimate of |gradient - reference| / |reference|, within some 30 %.
inline double relative_distance(std::string_view name, const Tensor& gradient,
                                const Tensor& reference) {
  const uint64_t base = fnv1a64(name) ^ (kSketchSeed * 0x9E3779B97F4A7C15ULL);
  const double* const expected = reference.data<const double>();
  double sums[kProjections] = {};
  const Tensor exact = cast(gradient, DType::kF64);
  const double* const values = exact.data<const double>();
  for (int64_t i = 0; i < gradient.numel(); ++i) {
    const uint64_t signs = sketch_signs(base, i);
    for (int64_t j = 0; j < kProjections; ++j) {
      sums[j] += ((signs >> j) & 1U) != 0 ? values[i] : -values[i];
    }
  }
  double square = 0;
  for (int64_t j = 0; j < kProjections; ++j) {
    const double difference = sums[j] - expected[1 + j];
    square += difference * difference / static_cast<double>(kProjections);
  }
  return std::sqrt(square) / expected[0];
}

}  // namespace mrcnn::test
