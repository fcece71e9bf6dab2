// Sums of channel vectors, which pooling and its gradient are made of on the CPU.
#pragma once

#include <cstdint>
#include <span>

namespace mrcnn::cpu {

// The channel vector at data + offset, and its weight.
struct WeightedPixel {
  int64_t offset;
  float weight;
};

// output[c] = sum over pixels of weight * data[offset + c], in their order.
void sum_pixels(const float* data, std::span<const WeightedPixel> pixels, int64_t channels,
                float* output);

// output[c] += that sum.
void add_pixels(const float* data, std::span<const WeightedPixel> pixels, int64_t channels,
                float* output);

}  // namespace mrcnn::cpu
