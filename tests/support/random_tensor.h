// Tensors of reproducible random numbers for tests.
#pragma once

#include <cstdint>

#include "core/random.h"
#include "core/tensor.h"

namespace mrcnn::test {

// Uniform in [low, high), a function of the seed and the position only.
template <typename T = float>
Tensor random_tensor(const Shape& shape, uint64_t seed, double low = -1, double high = 1) {
  const RandomStream stream{.seed = seed, .purpose = RandomPurpose::kTest};
  Tensor tensor = Tensor::empty(shape, dtype_of<T>());
  uint64_t index = 0;
  for (T& value : tensor.span<T>()) {
    value = static_cast<T>(low + (high - low) * static_cast<double>(stream.uniform(index++)));
  }
  return tensor;
}

}  // namespace mrcnn::test
