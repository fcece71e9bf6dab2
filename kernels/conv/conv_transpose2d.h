// conv_transpose2d: transposed convolution whose kernel equals its stride, so that each input pixel
// fills its own KH x KW block of the output and no blocks overlap.
//   input    [N, H, W, C]    f32 or f64; on a GPU f32 or bf16
//   weight   [O, KH, KW, C]
//   bias     [O] or undefined; f32 where input is bf16
//   returns  [N, H * KH, W * KW, O]
//   output(n, y * KH + ky, x * KW + kx, o) = relu?(bias(o) + sum_c input(n, y, x, c) *
//                                                                 weight(o, ky, kx, c))
// Gradient: input, weight, bias.  Accumulates in the tensors' type, bf16 in f32.
// Deterministic: yes, for a given CPU or GPU type.  Syncs host: no.
// Capturable: after a first run of the same shape outside the capture.
// f64 is a plain loop; else one product with the weight of every tap (kernels/linalg/linear.h) and
// a pixel shuffle. The gradients are those of the product, behind the shuffle backwards.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/host_device.h"
#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/linalg/linear.h"

namespace mrcnn {

Tensor conv_transpose2d(const Tensor& input, const Tensor& weight, const Tensor& bias,
                        const LinearParams& params = {});

// Throws ShapeError, DTypeError or DeviceError unless the two belong to a transposed convolution.
void check_conv_transpose2d_weight(const char* op, const Tensor& weight, const Tensor& bias);

// [O, KH, KW, C] -> [KH * KW * O, C]: the matrix of the product, taps outermost.
Tensor conv_transpose2d_matrix(const Tensor& weight);
// [O] -> [taps * O]: the bias of every tap. Undefined stays undefined.
Tensor repeat_bias(const Tensor& bias, int64_t taps);

struct ConvTranspose2dGeometry {
  int64_t batch = 0, height = 0, width = 0, channels = 0;
  int64_t kernel_h = 0, kernel_w = 0, out_channels = 0;

  HOST_DEVICE int64_t pixels() const { return batch * height * width; }
  int64_t taps() const { return kernel_h * kernel_w; }
};

// An array [batch, rows, columns] of items that becomes [batch, columns, rows].
struct SwapAxesGeometry {
  int64_t batch = 1, rows = 0, columns = 0;
  int64_t item_bytes = 0;
};

namespace cpu {
// The plain loop. bias [O] or nullptr
void conv_transpose2d(const ConvTranspose2dGeometry& g, bool relu, const double* input,
                      const double* weight, const double* bias, double* output);
void swap_axes(const SwapAxesGeometry& g, const std::byte* source, std::byte* target);
// The pixel shuffle backwards, and the ReLU's gradient. output is nullptr where there is no ReLU.
// grad_output, output [N, H * KH, W * KW, O]; grad_products [N, H, W, KH, KW, O]
template <typename T>
void conv_transpose2d_gather(const ConvTranspose2dGeometry& g, const T* grad_output,
                             const T* output, T* grad_products);
}  // namespace cpu

namespace cuda {
// Items are made of 2-byte or 4-byte elements, to which both addresses are aligned.
void swap_axes(const SwapAxesGeometry& g, const std::byte* source, std::byte* target,
               Stream stream);
template <typename T>
void conv_transpose2d_gather(const ConvTranspose2dGeometry& g, const T* grad_output,
                             const T* output, T* grad_products, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
