// pad_channels: appends channels of zeros.
//   input   [..., C]         f32 or f64; on a GPU f32 or bf16
//   returns [..., channels]  type and device of input; input itself if it has that many already
// Gives the first convolution's weight [O, KH, KW, 3] the channels of a batch that was filled up to
// 4 or 8 of them.
// Gradient: input, the first C channels.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

// Throws ShapeError if `channels` is less than C.
Tensor pad_channels(const Tensor& input, int64_t channels);

struct PadChannelsGeometry {
  int64_t rows;
  int64_t channels_in;
  int64_t channels_out;
};

// input [rows, channels_in], output [rows, channels_out]. With fewer channels out than in, the
// first ones are kept, which is the gradient.
namespace cpu {
void pad_channels(const PadChannelsGeometry& geometry, const float* input, float* output);
void pad_channels(const PadChannelsGeometry& geometry, const double* input, double* output);
}  // namespace cpu

namespace cuda {
void pad_channels(const PadChannelsGeometry& geometry, const float* input, float* output,
                  Stream stream);
void pad_channels(const PadChannelsGeometry& geometry, const BFloat16* input, BFloat16* output,
                  Stream stream);
}  // namespace cuda
}  // namespace mrcnn
