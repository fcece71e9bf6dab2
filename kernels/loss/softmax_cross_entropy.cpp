#include "kernels/loss/softmax_cross_entropy.h"

#include "core/autograd/record.h"
#include "kernels/detection/checks.h"
#include "kernels/loss/weighted_rows.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "softmax_cross_entropy";

void check_labels(const Tensor& labels, const Tensor& weights, int64_t classes) {
  for (int64_t row = 0; row < labels.numel(); ++row) {
    const int32_t label = labels.data<const int32_t>()[row];
    if (weights.data<const float>()[row] != 0 && (label < 0 || label >= classes)) {
      throw ShapeError(
          fmt::format("[{}] label {} of row {} is not in 0..{}", kOp, label, row, classes - 1));
    }
  }
}

Tensor backward_of(const Tensor& grad_loss, const Tensor& logits, const Tensor& labels,
                   const Tensor& weights) {
  const int64_t rows = logits.size(0), classes = logits.size(1);
  const Tensor grad_logits = Tensor::empty(logits.shape(), logits.dtype(), logits.device());
  const auto* targets = labels.pointer<const int32_t>();
  const auto* factors = weights.pointer<const float>();
  dispatch_device(
      kOp, logits.device(),
      [&] {
        dispatch_float(kOp, logits.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::softmax_cross_entropy_backward(rows, classes, grad_loss.data<const T>(),
                                              logits.data<const T>(), targets, factors,
                                              grad_logits.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, logits.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::softmax_cross_entropy_backward(rows, classes, grad_loss.pointer<const float>(),
                                               logits.pointer<const T>(), targets, factors,
                                               grad_logits.pointer<T>(), stream);
        });
      });
  return grad_logits;
}

}  // namespace

Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& weights) {
  using detection::kAny;
  detection::require_shape(kOp, "logits", logits, "[R,K]", {kAny, kAny});
  const int64_t rows = logits.size(0), classes = logits.size(1);
  detection::require_i32(kOp, "labels", labels, "[R]", {rows});
  detection::require_f32(kOp, "weights", weights, "[R]", {rows});
  const Device device = common_device(kOp, {&logits, &labels, &weights});
  Tensor loss;
  const auto* targets = labels.pointer<const int32_t>();
  const auto* factors = weights.pointer<const float>();
  dispatch_device(
      kOp, device,
      [&] {
        check_labels(labels, weights, classes);
        dispatch_float(kOp, logits.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          loss = Tensor::empty({}, logits.dtype());
          cpu::softmax_cross_entropy(rows, classes, logits.data<const T>(), targets, factors,
                                     loss.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, logits.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          loss = Tensor::empty({}, DType::kF32, device);
          const Tensor partials = Tensor::empty({kLossPartials}, DType::kF32, device);
          cuda::softmax_cross_entropy(rows, classes, logits.pointer<const T>(), targets, factors,
                                      partials.pointer<float>(), loss.pointer<float>(), stream);
        });
      });
  return record(kOp, loss, {logits},
                [logits = logits.detach(), labels = labels.detach(),
                 weights = weights.detach()](const Tensor& grad_loss) {
                  return std::vector<Tensor>{backward_of(grad_loss, logits, labels, weights)};
                });
}

}  // namespace mrcnn
