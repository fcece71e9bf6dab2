// ema_update_: moves averages of parameters towards their values, for all tensors at once.
//   average, value  [...]  one shape and type, f32 or f64; on a GPU f32
//   average = decay * average + (1 - decay) * value
// Gradient: none, it changes the averages in place.
// Deterministic: yes, the same bits on the CPU and a GPU.  Syncs host: no.
// Capturable: yes, with the decay of the call that was captured.
// Source: torchvision 0.29 references/classification/utils.py ExponentialMovingAverage.
#pragma once

#include <cstdint>
#include <span>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

struct EmaTensor {
  Tensor average;
  Tensor value;
};

void ema_update_(std::span<const EmaTensor> tensors, double decay);

template <typename T>
struct EmaItem {
  T* average = nullptr;
  const T* value = nullptr;
  int64_t count = 0;
};

// rest: 1 - decay
namespace cpu {
void ema_update(std::span<const EmaItem<float>> items, float decay, float rest);
void ema_update(std::span<const EmaItem<double>> items, double decay, double rest);
}  // namespace cpu

namespace cuda {
void ema_update(std::span<const EmaItem<float>> items, float decay, float rest, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
