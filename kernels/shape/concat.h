// concat: joins tensors along axis 0.
//   inputs  one or more [Mi, ...]  any type, equal in type, device and all axes but the first
//   returns [sum of Mi, ...], on the inputs' device
// Always a copy, also of a single tensor. The bytes of the inputs follow each other, so there is no
// loop of its own to dispatch to: it is one memory copy per input.
// Gradient: every input; its rows of the output's gradient, whose memory they share.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <span>
#include <vector>

#include "core/tensor.h"

namespace mrcnn {

Tensor concat(std::span<const Tensor> inputs);
inline Tensor concat(const std::vector<Tensor>& inputs) {
  return concat(std::span<const Tensor>(inputs));
}

}  // namespace mrcnn
