// Arithmetic of resize_normalize_pad, shared by host and device so that both give the same bits.
#pragma once

#include <cstdint>

#include "core/host_device.h"

namespace mrcnn {

// The two neighbours of an output coordinate and their weights.
struct Blend {
  int64_t first;
  int64_t second;
  float first_weight;
  float second_weight;

  HOST_DEVICE float of(float first_value, float second_value) const {
    return first_value * first_weight + second_value * second_weight;
  }
};

// `input` and `output`: sides of the image before and after resizing.
HOST_DEVICE inline Blend blend_at(int64_t index, int64_t input, int64_t output) {
  const float scale = static_cast<float>(input) / static_cast<float>(output);
  const float centre = scale * (static_cast<float>(index) + 0.5F) - 0.5F;
  const float source = centre > 0.0F ? centre : 0.0F;
  const auto below = static_cast<int64_t>(source);
  const int64_t first = below < input - 1 ? below : input - 1;
  const int64_t second = first + 1 < input - 1 ? first + 1 : input - 1;
  const float share = source - static_cast<float>(first);
  const float weight = share < 1.0F ? share : 1.0F;
  return {first, second, 1.0F - weight, weight};
}

// The same neighbours in a row of `width` pixels that is read from the right.
HOST_DEVICE inline Blend mirrored(const Blend& blend, int64_t width) {
  return {width - 1 - blend.first, width - 1 - blend.second, blend.first_weight,
          blend.second_weight};
}

HOST_DEVICE inline float normalized_byte(int value, float divisor, float mean, float std) {
  return (static_cast<float>(value) / divisor - mean) / std;
}

}  // namespace mrcnn
