// global_norm: the Euclidean length of all tensors together, for clipping gradients.
//   tensors  [...] each, one type: f32 or f64; on a GPU f32. Undefined ones are left out.
//   returns  [1], type and device of the tensors; f32 zero on the CPU if none is defined
// clip_coefficient: what gradients of that length are multiplied with, so that they are no longer
// than max_norm.
//   norm     [1] f32 or f64; on a GPU f32
//   returns  [1] = min(1, max_norm / (norm + 1e-6)); NaN stays NaN
// Gradient: none.  Adds up pieces in f64, on a GPU in f32, then the pieces in f64, in their order.
// Deterministic: yes, the pieces depend on the sizes only.  Syncs host: no.  Capturable: yes.
// Source: PyTorch 2 torch/nn/utils/clip_grad.py (the 1e-6, and the clamp to 1).
#pragma once

#include <cstdint>
#include <span>

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/optim/tensor_list.h"

namespace mrcnn {

Tensor global_norm(std::span<const Tensor> tensors);
Tensor clip_coefficient(const Tensor& norm, double max_norm);

namespace cpu {
double global_norm(std::span<const ReadItem<float>> items);
double global_norm(std::span<const ReadItem<double>> items);
}  // namespace cpu

namespace cuda {
// Elements of `partial` for these tensors.
int64_t global_norm_pieces(std::span<const ReadItem<float>> items);
// partial [global_norm_pieces], norm [1]
void global_norm(std::span<const ReadItem<float>> items, float* partial, float* norm,
                 Stream stream);
// norm, coefficient [1]
void clip_coefficient(const float* norm, float max_norm, float* coefficient, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
