// linear: a product with a weight matrix, with a fused epilogue.
//   input    [R, I]  f32 or f64; on a GPU f32 or bf16
//   weight   [O, I]
//   bias     [O] or undefined; f32 where input is bf16
//   returns  [R, O] = relu?(input * weight^T + bias)
// Gradient: input, weight, bias.  Accumulates in the tensors' type, bf16 in f32.
//   G = grad_output, where relu and output <= 0 zero;
//   grad_input = G * weight,  grad_weight = G^T * input,  grad_bias = sum of the rows of G
// Deterministic: yes, for a given CPU or GPU type and number of rows, whatever the number of
// threads.
// Syncs host: no.  Capturable: after a first run with as many rows outside the capture.
// linear() is made for weights that change from call to call: it packs and compiles nothing, and
// its products are those of matmul.h. A GPU runs cuBLASLt (gemm_plan.h).
#pragma once

#include <cstdint>
#include <memory>

#include "core/tensor.h"

namespace mrcnn {

struct LinearParams {
  bool relu = false;
  bool tf32 = false;  // on a GPU: products of f32 with 10 bits of mantissa; ignored elsewhere
};

Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias,
              const LinearParams& params = {});
// The same without gradients. output [R, O], type and device of input, is overwritten.
void linear_into(const Tensor& input, const Tensor& weight, const Tensor& bias,
                 const LinearParams& params, const Tensor& output);

// A product whose weight is packed once: f32 on the CPU, f32 or bf16 on a GPU, where the weight
// stays as it is. run() may be called from several threads.
// The number of rows may change from call to call: the operations of the last few numbers are kept,
// another one takes about a millisecond to compile.
class PreparedLinear {
 public:
  PreparedLinear(const Tensor& weight, const Tensor& bias, const LinearParams& params = {});
  ~PreparedLinear();
  PreparedLinear(PreparedLinear&&) noexcept;
  PreparedLinear& operator=(PreparedLinear&&) noexcept;

  Tensor run(const Tensor& input) const;                           // returns [R, O]
  void run_into(const Tensor& input, const Tensor& output) const;  // output [R, O], input's type

  const Shape& weight_shape() const;  // [O, I]
  int64_t flops(int64_t rows) const;  // 2 per multiply and add

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

namespace cpu {
// output [rows, columns] = relu?(output + bias [columns] or nullptr)
void add_bias(int64_t rows, int64_t columns, const float* bias, bool relu, float* output);
void add_bias(int64_t rows, int64_t columns, const double* bias, bool relu, double* output);
}  // namespace cpu
}  // namespace mrcnn
