// max_pool2d: maximum over windows.
//   input   [N, H, W, C]  float, H and W at least 1; on a GPU f32 or bf16
//   returns [N, OH, OW, C],  OH = floor((H + 2 * padding - kernel) / stride) + 1, OW likewise
// Padding counts as -inf and is at most half the kernel, so every window holds a pixel. A NaN in a
// window makes the result NaN. bf16 is compared in f32, which changes nothing. With kernel 1 and
// stride 2 this takes every second pixel (the pool level of a feature pyramid).
// Gradient: input; it goes to the first maximum of each window, row by row, or to its last NaN. The
// maxima are looked for again, and every pixel adds up what its windows give, in their order.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: PyTorch 2 docs of MaxPool2d (ceil_mode false, dilation 1).
#pragma once

#include <array>
#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

struct MaxPool2dParams {
  std::array<int64_t, 2> kernel = {1, 1};  // height, width
  std::array<int64_t, 2> stride = {1, 1};
  std::array<int64_t, 2> padding = {0, 0};
};

Tensor max_pool2d(const Tensor& input, const MaxPool2dParams& params);

struct MaxPool2dGeometry {
  MaxPool2dParams params;
  int64_t images = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  int64_t output_height = 0;
  int64_t output_width = 0;
};

namespace cpu {
// input [N, H, W, C], output [N, OH, OW, C]
void max_pool2d(const MaxPool2dGeometry& geometry, const float* input, float* output);
void max_pool2d(const MaxPool2dGeometry& geometry, const double* input, double* output);

// taps [N, OH, OW, C]: where in its window the maximum is, ky * KW + kx.
void max_pool2d_taps(const MaxPool2dGeometry& geometry, const float* input, int32_t* taps);
void max_pool2d_taps(const MaxPool2dGeometry& geometry, const double* input, int32_t* taps);
// taps, grad_output [N, OH, OW, C], grad_input [N, H, W, C]
void max_pool2d_backward(const MaxPool2dGeometry& geometry, const int32_t* taps,
                         const float* grad_output, float* grad_input);
void max_pool2d_backward(const MaxPool2dGeometry& geometry, const int32_t* taps,
                         const double* grad_output, double* grad_input);
}  // namespace cpu

namespace cuda {
// input [N, H, W, C], output [N, OH, OW, C]
void max_pool2d(const MaxPool2dGeometry& geometry, const float* input, float* output,
                Stream stream);
void max_pool2d(const MaxPool2dGeometry& geometry, const BFloat16* input, BFloat16* output,
                Stream stream);

// taps [N, OH, OW, C], as on the CPU
void max_pool2d_taps(const MaxPool2dGeometry& geometry, const float* input, int32_t* taps,
                     Stream stream);
void max_pool2d_taps(const MaxPool2dGeometry& geometry, const BFloat16* input, int32_t* taps,
                     Stream stream);
// taps, grad_output [N, OH, OW, C], grad_input [N, H, W, C]
void max_pool2d_backward(const MaxPool2dGeometry& geometry, const int32_t* taps,
                         const float* grad_output, float* grad_input, Stream stream);
void max_pool2d_backward(const MaxPool2dGeometry& geometry, const int32_t* taps,
                         const BFloat16* grad_output, BFloat16* grad_input, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
