// select_class: of every row, the columns that belong to its class.
//   input   [R, K*width]  f32 or f64; on a GPU f32 or bf16; class k has the columns k*width and on
//   labels  [R]           i32; a row with a label outside 0..K-1 gives zeros
//   returns [R, width], type and device of input
// Takes the labelled class's deltas out of the box head's output.
// Gradient: input, zeros in all other columns.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: torchvision 0.29 models/detection/roi_heads.py fastrcnn_loss.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor select_class(const Tensor& input, const Tensor& labels, int64_t width);

struct SelectClassGeometry {
  int64_t rows;
  int64_t classes;
  int64_t width;
};

namespace cpu {
// input, grad_input [rows, classes * width]; labels [rows]; output, grad_output [rows, width]
void select_class(const SelectClassGeometry& geometry, const float* input, const int32_t* labels,
                  float* output);
void select_class(const SelectClassGeometry& geometry, const double* input, const int32_t* labels,
                  double* output);
void select_class_backward(const SelectClassGeometry& geometry, const float* grad_output,
                           const int32_t* labels, float* grad_input);
void select_class_backward(const SelectClassGeometry& geometry, const double* grad_output,
                           const int32_t* labels, double* grad_input);
}  // namespace cpu

namespace cuda {
void select_class(const SelectClassGeometry& geometry, const float* input, const int32_t* labels,
                  float* output, Stream stream);
void select_class(const SelectClassGeometry& geometry, const BFloat16* input, const int32_t* labels,
                  BFloat16* output, Stream stream);
void select_class_backward(const SelectClassGeometry& geometry, const float* grad_output,
                           const int32_t* labels, float* grad_input, Stream stream);
void select_class_backward(const SelectClassGeometry& geometry, const BFloat16* grad_output,
                           const int32_t* labels, BFloat16* grad_input, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
