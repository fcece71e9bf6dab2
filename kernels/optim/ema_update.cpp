#include "kernels/optim/ema_update.h"

#include <fmt/format.h>

#include <vector>

#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/optim/tensor_list.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "ema_update_";

template <typename T>
std::vector<EmaItem<T>> items_of(std::span<const EmaTensor> tensors) {
  std::vector<EmaItem<T>> items;
  for (const EmaTensor& tensor : tensors) {
    items.push_back(
        {tensor.average.pointer<T>(), tensor.value.pointer<const T>(), tensor.average.numel()});
  }
  return items;
}

}  // namespace

void ema_update_(std::span<const EmaTensor> tensors, double decay) {
  if (!(decay >= 0 && decay <= 1)) {
    throw UsageError(fmt::format("[{}] decay {} is not between 0 and 1", kOp, decay));
  }
  std::vector<Tensor> all;
  for (const EmaTensor& tensor : tensors) {
    if (!tensor.average.defined() || !tensor.value.defined() ||
        tensor.average.shape() != tensor.value.shape()) {
      throw ShapeError(fmt::format("[{}] average and value differ in shape: {}, {}", kOp,
                                   tensor.average.describe(), tensor.value.describe()));
    }
    check_changeable(kOp, tensor.average);
    all.push_back(tensor.average);
    all.push_back(tensor.value);
  }
  const Tensor first = check_one_kind(kOp, all);
  if (!first.defined()) return;
  dispatch_device(
      kOp, first.device(),
      [&] {
        dispatch_float(kOp, first.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::ema_update(items_of<T>(tensors), static_cast<T>(decay), static_cast<T>(1 - decay));
        });
      },
      [&](Stream stream) {
        cuda::ema_update(items_of<float>(tensors), static_cast<float>(decay),
                         static_cast<float>(1 - decay), stream);
      });
}

}  // namespace mrcnn
