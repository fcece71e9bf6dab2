// sum_rows: the sum of a matrix's rows; what the gradient of a bias is.
//   input    [R, C]  float; on a GPU f32 or bf16
//   returns  [C]     f64 for f64, else f32; R = 0 gives zeros
// Tensors of other ranks are reshaped first: the bias of a convolution adds up [N * OH * OW, O].
// Gradient: none.  Accumulates in f64 on the CPU, in f32 on a GPU, blocks of rows first.
// Deterministic: yes; the blocks depend on the shape only.  Syncs host: no.  Capturable: yes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor sum_rows(const Tensor& input);

struct SumRowsGeometry {
  int64_t rows = 0, columns = 0;
  int64_t rows_per_block = 0;

  int64_t blocks() const { return (rows + rows_per_block - 1) / rows_per_block; }
};

namespace cpu {
// input [rows, columns], partial [blocks, columns], sums [columns]
void sum_rows(const SumRowsGeometry& g, const float* input, double* partial, float* sums);
void sum_rows(const SumRowsGeometry& g, const double* input, double* partial, double* sums);
}  // namespace cpu

namespace cuda {
void sum_rows(const SumRowsGeometry& g, const float* input, float* partial, float* sums,
              Stream stream);
void sum_rows(const SumRowsGeometry& g, const BFloat16* input, float* partial, float* sums,
              Stream stream);
}  // namespace cuda
}  // namespace mrcnn
