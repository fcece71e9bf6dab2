// Where a prepared model runs and in which precision.
#pragma once

#include <string_view>

#include "core/device.h"
#include "core/tensor.h"

namespace mrcnn {

enum class Precision {
  kFp32,  // f32 throughout
  kTf32,  // f32 tensors; convolutions and products multiply with 10 bits of mantissa
  kBf16,  // activations and weights bf16, sums, biases, boxes and scores f32
};

// Reads "fp32", "tf32" or "bf16". Throws UsageError.
Precision parse_precision(std::string_view text);
std::string_view precision_name(Precision precision);

struct Execution {
  Device device = {};
  Precision precision = Precision::kFp32;

  DType activations() const { return precision == Precision::kBf16 ? DType::kBF16 : DType::kF32; }
  bool tf32() const { return precision == Precision::kTf32; }
};

// Throws UsageError for what there is not: the CPU computes in fp32.
void check_execution(const Execution& execution);

// A weight as the device computes with it, a bias (f32 everywhere). Undefined stays undefined.
Tensor place_weight(const Tensor& weight, const Execution& execution);
Tensor place_bias(const Tensor& bias, const Execution& execution);

}  // namespace mrcnn
