#include "kernels/loss/bce_with_logits.h"

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "kernels/loss/weighted_rows.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "bce_with_logits";

Tensor backward_of(const LossRows& in, const Tensor& grad_loss, const Tensor& logits,
                   const Tensor& targets, const Tensor& weights) {
  const Tensor grad_logits = Tensor::empty(logits.shape(), logits.dtype(), in.device);
  const auto* goals = targets.pointer<const float>();
  const auto* factors = weights.pointer<const float>();
  dispatch_device(
      kOp, in.device,
      [&] {
        dispatch_float(kOp, logits.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::bce_with_logits_backward(in.rows, in.columns, grad_loss.data<const T>(),
                                        logits.data<const T>(), goals, factors,
                                        grad_logits.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, logits.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::bce_with_logits_backward(in.rows, in.columns, grad_loss.pointer<const float>(),
                                         logits.pointer<const T>(), goals, factors,
                                         grad_logits.pointer<T>(), stream);
        });
      });
  return grad_logits;
}

}  // namespace

Tensor bce_with_logits(const Tensor& logits, const Tensor& targets, const Tensor& weights) {
  const LossRows in = check_loss_rows(kOp, "logits", logits, targets, weights);
  Tensor loss;
  const auto* goals = targets.pointer<const float>();
  const auto* factors = weights.pointer<const float>();
  dispatch_device(
      kOp, in.device,
      [&] {
        dispatch_float(kOp, logits.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          loss = Tensor::empty({}, logits.dtype());
          cpu::bce_with_logits(in.rows, in.columns, logits.data<const T>(), goals, factors,
                               loss.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, logits.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          loss = Tensor::empty({}, DType::kF32, in.device);
          const Tensor partials = Tensor::empty({kLossPartials}, DType::kF32, in.device);
          cuda::bce_with_logits(in.rows, in.columns, logits.pointer<const T>(), goals, factors,
                                partials.pointer<float>(), loss.pointer<float>(), stream);
        });
      });
  return record(kOp, loss, {logits},
                [in, logits = logits.detach(), targets = targets.detach(),
                 weights = weights.detach()](const Tensor& grad_loss) {
                  return std::vector<Tensor>{backward_of(in, grad_loss, logits, targets, weights)};
                });
}

}  // namespace mrcnn
