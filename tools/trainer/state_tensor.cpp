// Between tensors in memory and tensors of a checkpoint.
#include <memory>

#include "core/primitives.h"
#include "layers/state_dict.h"
#include "tools/trainer/checkpoint_file.h"

namespace mrcnn {
namespace {

FileBytes bytes_of(const Tensor& on_cpu) {
  return {{on_cpu.raw(), static_cast<size_t>(on_cpu.bytes())}, std::make_shared<Tensor>(on_cpu)};
}

Tensor on_cpu(const Tensor& tensor) { return copy_to(tensor.detach(), Device{}); }

}  // namespace

StateTensor state_tensor(std::string name, const Tensor& tensor) {
  StateTensor state;
  state.name = std::move(name);
  state.dtype = file_dtype(tensor.dtype());
  const std::span<const int64_t> extents = tensor.shape().extents();
  state.shape.assign(extents.begin(), extents.end());
  state.bytes = [tensor] { return bytes_of(on_cpu(tensor)); };
  return state;
}

StateTensor state_tensor(std::string name, const Parameter& parameter) {
  StateTensor state;
  state.name = std::move(name);
  state.dtype = file_dtype(parameter.dtype);
  state.shape = parameter.file_shape;
  state.bytes = [&parameter] {
    Parameter copy = parameter;
    copy.value = on_cpu(parameter.value);
    return bytes_of(to_file_order(copy));
  };
  return state;
}

}  // namespace mrcnn
