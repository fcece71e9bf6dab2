// One term of an element-wise loss and its derivative with respect to the prediction, shared by the
// CPU, which computes in f64, and GPUs, which compute in f32.
#pragma once

#include <cmath>

#include "core/host_device.h"

namespace mrcnn {

// -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)), without a logarithm of something near 0.
template <typename Acc>
HOST_DEVICE Acc bce_term(Acc x, Acc t) {
  return (x > 0 ? x : Acc(0)) - x * t + std::log1p(std::exp(x < 0 ? x : -x));
}

// sigmoid(x) - t. The exponential is that of a number <= 0, so it does not overflow.
template <typename Acc>
HOST_DEVICE Acc bce_slope(Acc x, Acc t) {
  const Acc e = std::exp(x < 0 ? x : -x);
  return (x < 0 ? e : Acc(1)) / (Acc(1) + e) - t;
}

// d is prediction - target; beta 0 gives |d|.
template <typename Acc>
HOST_DEVICE Acc smooth_l1_term(Acc d, Acc beta) {
  const Acc size = d < 0 ? -d : d;
  return size < beta ? Acc(0.5) * d * d / beta : size - Acc(0.5) * beta;
}

// NaN stays NaN: no comparison with it holds.
template <typename Acc>
HOST_DEVICE Acc smooth_l1_slope(Acc d, Acc beta) {
  if ((d < 0 ? -d : d) < beta) return d / beta;
  return d > 0 ? Acc(1) : d < 0 ? Acc(-1) : d;
}

}  // namespace mrcnn
