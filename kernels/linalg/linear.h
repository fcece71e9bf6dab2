// linear: a product with a weight matrix, with a fused epilogue.
//   input    [R, I]  f32 or f64
//   weight   [O, I]
//   bias     [O] or undefined
//   returns  [R, O] = relu?(input * weight^T + bias)
// Gradient: none (inference).  Accumulates in the tensors' type.
// Deterministic: yes, for a given CPU type and number of rows, whatever the number of threads.
// Syncs host: no.
// f64 is a plain loop, the oracle of the tests; f32 runs oneDNN.
#pragma once

#include <cstdint>
#include <memory>

#include "core/tensor.h"

namespace mrcnn {

Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias, bool relu = false);

// A product whose weight is packed once, f32 only. run() may be called from several threads.
// The number of rows may change from call to call: the operations of the last few numbers are kept,
// another one takes about a millisecond to compile.
class PreparedLinear {
 public:
  PreparedLinear(const Tensor& weight, const Tensor& bias, bool relu = false);
  ~PreparedLinear();
  PreparedLinear(PreparedLinear&&) noexcept;
  PreparedLinear& operator=(PreparedLinear&&) noexcept;

  Tensor run(const Tensor& input) const;                           // returns [R, O]
  void run_into(const Tensor& input, const Tensor& output) const;  // output [R, O] f32

  const Shape& weight_shape() const;  // [O, I]
  int64_t flops(int64_t rows) const;  // 2 per multiply and add

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mrcnn
