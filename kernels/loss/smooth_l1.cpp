#include "kernels/loss/smooth_l1.h"

#include <fmt/format.h>

#include <cmath>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/loss/weighted_rows.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "smooth_l1";

Tensor backward_of(const LossRows& in, float beta, const Tensor& grad_loss,
                   const Tensor& predictions, const Tensor& targets, const Tensor& weights) {
  const Tensor grad_predictions =
      Tensor::empty(predictions.shape(), predictions.dtype(), in.device);
  const auto* goals = targets.pointer<const float>();
  const auto* factors = weights.pointer<const float>();
  dispatch_device(
      kOp, in.device,
      [&] {
        dispatch_float(kOp, predictions.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::smooth_l1_backward(in.rows, in.columns, beta, grad_loss.data<const T>(),
                                  predictions.data<const T>(), goals, factors,
                                  grad_predictions.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, predictions.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::smooth_l1_backward(in.rows, in.columns, beta, grad_loss.pointer<const float>(),
                                   predictions.pointer<const T>(), goals, factors,
                                   grad_predictions.pointer<T>(), stream);
        });
      });
  return grad_predictions;
}

}  // namespace

Tensor smooth_l1(const Tensor& predictions, const Tensor& targets, const Tensor& weights,
                 const SmoothL1Params& params) {
  const float beta = params.beta;
  if (!(beta >= 0 && std::isfinite(beta))) {
    throw ShapeError(fmt::format("[{}] beta must be 0 or more: {}", kOp, beta));
  }
  const LossRows in = check_loss_rows(kOp, "predictions", predictions, targets, weights);
  Tensor loss;
  const auto* goals = targets.pointer<const float>();
  const auto* factors = weights.pointer<const float>();
  dispatch_device(
      kOp, in.device,
      [&] {
        dispatch_float(kOp, predictions.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          loss = Tensor::empty({}, predictions.dtype());
          cpu::smooth_l1(in.rows, in.columns, beta, predictions.data<const T>(), goals, factors,
                         loss.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, predictions.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          loss = Tensor::empty({}, DType::kF32, in.device);
          const Tensor partials = Tensor::empty({kLossPartials}, DType::kF32, in.device);
          cuda::smooth_l1(in.rows, in.columns, beta, predictions.pointer<const T>(), goals, factors,
                          partials.pointer<float>(), loss.pointer<float>(), stream);
        });
      });
  return record(
      kOp, loss, {predictions},
      [in, beta, predictions = predictions.detach(), targets = targets.detach(),
       weights = weights.detach()](const Tensor& grad_loss) {
        return std::vector<Tensor>{backward_of(in, beta, grad_loss, predictions, targets, weights)};
      });
}

}  // namespace mrcnn
