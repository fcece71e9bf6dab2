// The update of one element (sgd_step.h), shared by the CPU and GPUs, which give the same bits.
#pragma once

#include "core/host_device.h"

namespace mrcnn {

// What is alike for all tensors of a step.
template <typename T>
struct SgdFactors {
  T scale = 1;  // of the gradients
  T momentum = 0;
  T undampened = 1;  // 1 - dampening
  bool nesterov = false;
  bool first_step = false;
};

template <typename T>
struct SgdElement {
  T parameter, momentum;
};

template <typename T>
HOST_DEVICE inline SgdElement<T> sgd_element(const SgdFactors<T>& f, T lr, T weight_decay,
                                             T gradient, SgdElement<T> old) {
  const T g = gradient * f.scale + weight_decay * old.parameter;
  const T v = f.first_step ? g : f.momentum * old.momentum + f.undampened * g;
  const T direction = f.nesterov ? g + f.momentum * v : v;
  return {old.parameter - lr * direction, v};
}

}  // namespace mrcnn
