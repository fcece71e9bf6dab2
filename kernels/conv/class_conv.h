// class_conv: the 1x1 convolution of each RoI's own class only; a mask head's logits in training,
// where the other classes' logits have no loss.
//   input    [R, H, W, C]   f32 or f64; on a GPU f32 or bf16
//   weight   [K, 1, 1, C]   type of input
//   bias     [K] or undefined; f32 where input is bf16
//   labels   [R] i32        the class; a row whose label lies outside 0..K-1 is not used
//   returns  [R, H, W] = sum_c input(r, y, x, c) * weight(label, c) + bias(label), type of input;
//                      zeros in rows that are not used
// Gradient: input, weight, bias; zero for rows that are not used and classes that no row has.
// Accumulates in the tensors' type, bf16 in f32. The weight's gradient adds up each RoI, then the
// RoIs of a class in their order.
// Deterministic: yes, for a given CPU or GPU type, whatever the number of threads.
// Syncs host: no.  Capturable: yes.
// Source: He et al. 2017, "Mask R-CNN", sec. 3: the mask loss is defined on the k-th mask only.
#pragma once

#include <cstdint>

#include "core/host_device.h"
#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor class_conv(const Tensor& input, const Tensor& weight, const Tensor& bias,
                  const Tensor& labels);

struct ClassConvGeometry {
  int64_t rois = 0, pixels = 0, channels = 0;  // pixels: of one RoI
  int64_t classes = 0;

  HOST_DEVICE bool is_used(int32_t label) const { return label >= 0 && label < classes; }
};

// In the following, input and grad_input are [rois, pixels, channels], output and grad_output
// [rois, pixels], weight and grad_weight [classes, channels], bias and grad_bias [classes], where
// bias and either gradient of the second function may be nullptr.
namespace cpu {
template <typename T>
void class_conv(const ClassConvGeometry& g, const T* input, const T* weight, const T* bias,
                const int32_t* labels, T* output);
template <typename T>
void class_conv_grad_input(const ClassConvGeometry& g, const T* grad_output, const T* weight,
                           const int32_t* labels, T* grad_input);
// partial [rois, channels + 1]: the sums of each RoI, the bias's last
template <typename T>
void class_conv_grad_weight(const ClassConvGeometry& g, const T* grad_output, const T* input,
                            const int32_t* labels, T* partial, T* grad_weight, T* grad_bias);
}  // namespace cpu

namespace cuda {
// Pixels whose sums one thread block computes: a mask of 28x28 is 13 of them, enough to fill a GPU.
inline constexpr int64_t kClassConvPixels = 64;

inline int64_t class_conv_blocks(const ClassConvGeometry& g) {  // of one RoI
  return (g.pixels + kClassConvPixels - 1) / kClassConvPixels;
}

// For float and BFloat16.
template <typename T>
void class_conv(const ClassConvGeometry& g, const T* input, const T* weight, const float* bias,
                const int32_t* labels, T* output, Stream stream);
template <typename T>
void class_conv_grad_input(const ClassConvGeometry& g, const T* grad_output, const T* weight,
                           const int32_t* labels, T* grad_input, Stream stream);
// partial [rois, class_conv_blocks, channels + 1]
template <typename T>
void class_conv_grad_weight(const ClassConvGeometry& g, const T* grad_output, const T* input,
                            const int32_t* labels, float* partial, T* grad_weight, float* grad_bias,
                            Stream stream);
}  // namespace cuda
}  // namespace mrcnn
