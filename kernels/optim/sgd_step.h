// sgd_step_: one step of stochastic gradient descent with momentum for all parameters at once.
//   parameter, gradient, momentum  [...]  one shape and type, f32 or f64; on a GPU f32
//   g = gradient * gradient_scale * device_scale + weight_decay * parameter
//   v = g on the first step, else momentum * v + (1 - dampening) * g
//   parameter -= lr * (nesterov ? g + momentum * v : v)
// A tensor whose gradient is undefined is left alone: no decay, and v stays. Its momentum starts at
// zeros, which gives v = g on its own first step where there is no dampening; the first step of all
// (first_step) does not read v. With momentum 0 there is no v, and its tensor may be undefined.
// Parameters may be leaves of the tape; recording does not matter.
// Gradient: none, it changes parameters and momenta in place.
// Deterministic: yes, the same bits on the CPU and a GPU.  Syncs host: no.
// Capturable: yes, with the numbers of the call that was captured.
// Source: PyTorch 2 torch/optim/sgd.py, _single_tensor_sgd.
#pragma once

#include <cstdint>
#include <span>

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/optim/sgd_math.h"

namespace mrcnn {

struct SgdTensor {
  Tensor parameter;
  Tensor gradient = {};  // undefined: the tensor is left alone
  Tensor momentum = {};
  double lr = 0;
  double weight_decay = 0;
};

struct SgdParams {
  double momentum = 0;
  double dampening = 0;
  bool nesterov = false;    // needs a momentum and no dampening
  bool first_step = false;  // no tensor has been stepped before
  double gradient_scale = 1;
  // Read on the device, so that the host need not wait for them.
  Tensor device_scale = {};  // [1], type of the parameters: another factor, e.g. of clipping
  Tensor finite = {};        // [1] i32: 0 leaves everything as it is (all_finite.h)
};

void sgd_step_(std::span<const SgdTensor> tensors, const SgdParams& params);

// One tensor's part in a step. momentum is nullptr where there is none.
template <typename T>
struct SgdItem {
  T* parameter = nullptr;
  const T* gradient = nullptr;
  T* momentum = nullptr;
  int64_t count = 0;
  T lr = 0, weight_decay = 0;
};

namespace cpu {
void sgd_step(std::span<const SgdItem<float>> items, const SgdFactors<float>& factors);
void sgd_step(std::span<const SgdItem<double>> items, const SgdFactors<double>& factors);
}  // namespace cpu

namespace cuda {
// device_scale [1], finite [1], or nullptr. One launch for 80 tensors.
void sgd_step(std::span<const SgdItem<float>> items, const SgdFactors<float>& factors,
              const float* device_scale, const int32_t* finite, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
