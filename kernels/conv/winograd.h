// Winograd convolution F(4x4, 3x3): 3x3 kernel, stride 1, padding 1, f32, channels last; 4 times
// fewer multiplications than the definition. The arithmetic is in winograd_kernels.h.
//   input     [N, H, W, C]
//   weight    [O, 3, 3, C]      C and O multiples of 16
//   output    [N, H, W, O] = relu?(conv(input, weight) + bias + residual)
// Tiles of 4x4 outputs go through in blocks, one block per thread at a time: transform the inputs,
// 36 products with the packed weights, transform back with the epilogue fused. Only a block's
// intermediates exist, some megabytes per thread. The gradient of the input is such a convolution
// too; that of the weight is in winograd_weight_gradient.h.
// Deterministic: yes; the result does not depend on the number of threads or images.
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/winograd_filters.h"
#include "kernels/conv/winograd_kernels.h"

namespace mrcnn::cpu {

class WinogradConv2d {
 public:
  // Whether the algorithm can compute this convolution at all.
  static bool supports(const Shape& weight, const Conv2dParams& params);

  // With kDataGradient it is the convolution of grad_output that gives grad_input.
  WinogradConv2d(const Tensor& weight, const WinogradKernels& kernels,
                 WinogradDirection direction = WinogradDirection::kForward);

  // bias [O] and residual may be undefined. Shapes are the caller's promise.
  void run(const Tensor& input, const Tensor& bias, const Tensor& residual, bool relu,
           const Tensor& output) const;

 private:
  struct Job;
  void plan_blocks(Job& job) const;
  void run_block(const Job& job, int64_t block) const;
  // Strides are elements between transformed positions.
  void transform_inputs(const Job& job, int64_t first_tile, int64_t tiles, float* transformed,
                        int64_t position_stride) const;
  void transform_outputs(const Job& job, int64_t first_tile, int64_t tiles, int64_t first_channel,
                         int64_t width, const float* products, int64_t position_stride) const;

  WinogradKernels kernels_;
  int64_t channels_;
  int64_t out_channels_;
  int64_t panels_;  // of product_columns outputs; the last one is filled up with zeros
  Tensor packed_;   // [36, panels * C * product_columns and some padding]
};

// Whether Winograd is the faster algorithm for a supported convolution of `input`: with tiles half
// filled or better and enough of them. With few, reading the weights (4 times larger than the plain
// ones) takes longer than the direct convolution. Measured with 16 to 512 channels on 1x1 to
// 200x336. Each image needs its tiles, whatever the batch: an image's bits must not depend on its
// company. 4 are those of a 7x7 region of interest, of which there are many.
bool use_winograd(const Shape& input);
// The same where the filters are transformed for one call, or their gradient back: a batch's tiles
// count together.
bool use_winograd_once(const Shape& input);

}  // namespace mrcnn::cpu
