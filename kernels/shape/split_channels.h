// split_channels: cuts the last axis in two.
//   input   [..., C]  any type
//   returns first [..., A] (channels 0..A-1), second [..., C-A], on the input's device
// One convolution computes two heads that read the same map; this takes its output apart. Copies,
// because tensors are contiguous. A of 0 or C gives an empty part.
// Gradient: input, from each part on its own, with zeros in the other's channels.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

struct ChannelParts {
  Tensor first;
  Tensor second;
};

ChannelParts split_channels(const Tensor& input, int64_t first_channels);

namespace cpu {
// input [pixels, first_bytes + second_bytes], first [pixels, first_bytes], second likewise
void split_channels(int64_t pixels, int64_t first_bytes, int64_t second_bytes,
                    const std::byte* input, std::byte* first, std::byte* second);
// part [pixels, part_bytes] becomes bytes begin_bytes.. of every pixel of whole [pixels,
// pixel_bytes]; the others become zero.
void place_channels(int64_t pixels, int64_t begin_bytes, int64_t part_bytes, int64_t pixel_bytes,
                    const std::byte* part, std::byte* whole);
}  // namespace cpu

namespace cuda {
// input [pixels, first_bytes + second_bytes], first [pixels, first_bytes], second likewise
void split_channels(int64_t pixels, int64_t first_bytes, int64_t second_bytes,
                    const std::byte* input, std::byte* first, std::byte* second, Stream stream);
// part [pixels, part_bytes], whole [pixels, pixel_bytes], as on the CPU
void place_channels(int64_t pixels, int64_t begin_bytes, int64_t part_bytes, int64_t pixel_bytes,
                    const std::byte* part, std::byte* whole, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
