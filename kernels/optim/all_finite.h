// all_finite: whether no element of any tensor is infinite or NaN; what skips a bad step.
//   tensors  [...] each, one type: f32 or f64; on a GPU f32. Undefined ones are left out.
//   returns  [1] i32, device of the tensors: 1 or 0; 1 on the CPU if none is defined
// Gradient: none.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>
#include <span>

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/optim/tensor_list.h"

namespace mrcnn {

Tensor all_finite(std::span<const Tensor> tensors);

namespace cpu {
bool all_finite(std::span<const ReadItem<float>> items);
bool all_finite(std::span<const ReadItem<double>> items);
}  // namespace cpu

namespace cuda {
// flag [1] is 1 before, and becomes 0 if an element is not finite
void all_finite(std::span<const ReadItem<float>> items, int32_t* flag, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
