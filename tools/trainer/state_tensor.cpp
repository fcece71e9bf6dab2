// Between tensors in memory and tensors of a checkpoint.
#include <cstring>
#include <memory>

#include "core/primitives.h"
#include "layers/state_dict.h"
#include "tools/trainer/checkpoint_file.h"

namespace mrcnn {
namespace {

FileDType file_dtype(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return FileDType::kF32;
    case DType::kF64:
      return FileDType::kF64;
    case DType::kBF16:
      return FileDType::kBF16;
    case DType::kI32:
      return FileDType::kI32;
    case DType::kI64:
      return FileDType::kI64;
    case DType::kU8:
      return FileDType::kU8;
    case DType::kBool:
      return FileDType::kBool;
  }
  throw DTypeError("[state_tensor] unknown element type");
}

DType memory_dtype(const FileTensor& stored) {
  switch (stored.dtype) {
    case FileDType::kF32:
      return DType::kF32;
    case FileDType::kF64:
      return DType::kF64;
    case FileDType::kBF16:
      return DType::kBF16;
    case FileDType::kI32:
      return DType::kI32;
    case FileDType::kI64:
      return DType::kI64;
    case FileDType::kU8:
      return DType::kU8;
    case FileDType::kBool:
      return DType::kBool;
    default:
      throw DTypeError("[tensor_of] '" + stored.name + "' holds " +
                       std::string(file_dtype_name(stored.dtype)) + ", which tensors cannot");
  }
}

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

Tensor tensor_of(const FileTensor& stored) {
  Tensor tensor =
      Tensor::empty(Shape(std::span<const int64_t>(stored.shape)), memory_dtype(stored));
  if (!stored.bytes.empty()) std::memcpy(tensor.raw(), stored.bytes.data(), stored.bytes.size());
  return tensor;
}

}  // namespace mrcnn
