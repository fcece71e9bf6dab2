#include "layers/execution.h"

#include <string>

#include "core/error.h"
#include "core/primitives.h"

namespace mrcnn {

Precision parse_precision(std::string_view text) {
  for (const Precision precision : {Precision::kFp32, Precision::kTf32, Precision::kBf16}) {
    if (precision_name(precision) == text) return precision;
  }
  throw UsageError("unknown precision '" + std::string(text) + "': use fp32, tf32 or bf16");
}

std::string_view precision_name(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return "fp32";
    case Precision::kTf32:
      return "tf32";
    default:
      return "bf16";
  }
}

void check_execution(const Execution& execution) {
  if (execution.device.is_cpu() && execution.precision != Precision::kFp32) {
    throw UsageError("precision " + std::string(precision_name(execution.precision)) +
                     " needs a GPU; the CPU computes in fp32");
  }
}

Tensor place_weight(const Tensor& weight, const Execution& execution) {
  if (!weight.defined()) return {};
  const DType dtype = execution.activations();
  return copy_to(weight.dtype() == dtype ? weight : cast(weight, dtype), execution.device);
}

Tensor place_bias(const Tensor& bias, const Execution& execution) {
  return copy_to(bias, execution.device);
}

}  // namespace mrcnn
