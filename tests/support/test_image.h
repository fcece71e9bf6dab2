// A made-up photo: blocks of random colours, something for a network to see at every scale.
#pragma once

#include <cstdint>

#include "core/random.h"
#include "core/tensor.h"

namespace mrcnn::test {

// [height, width, 3] u8, a function of the seed.
inline Tensor test_image(int64_t height, int64_t width, uint64_t seed) {
  Tensor image = Tensor::empty({height, width, 3}, DType::kU8);
  const RandomStream random{.seed = seed, .purpose = RandomPurpose::kTest};
  uint8_t* pixels = image.data<uint8_t>();
  for (int64_t i = 0; i < image.numel(); ++i) {
    const int64_t y = i / 3 / width / 24;
    const int64_t x = i / 3 % width / 24;
    pixels[i] =
        static_cast<uint8_t>(random.word(static_cast<uint64_t>((y * 1000 + x) * 3 + i % 3)) >> 24);
  }
  return image;
}

}  // namespace mrcnn::test
