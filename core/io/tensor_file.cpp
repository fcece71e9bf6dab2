#include "core/io/tensor_file.h"

#include <array>
#include <cstring>

#include "core/error.h"

namespace mrcnn {
namespace {

struct DTypeFacts {
  std::string_view name;
  int64_t bytes;
};

// Indexed by FileDType.
constexpr std::array<DTypeFacts, 13> kFacts = {{{"BOOL", 1},
                                                {"U8", 1},
                                                {"I8", 1},
                                                {"I16", 2},
                                                {"U16", 2},
                                                {"F16", 2},
                                                {"BF16", 2},
                                                {"I32", 4},
                                                {"U32", 4},
                                                {"F32", 4},
                                                {"F64", 8},
                                                {"I64", 8},
                                                {"U64", 8}}};
static_assert(kFacts.size() == static_cast<size_t>(FileDType::kU64) + 1);

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

}  // namespace

int64_t file_dtype_bytes(FileDType dtype) { return kFacts[static_cast<size_t>(dtype)].bytes; }

std::string_view file_dtype_name(FileDType dtype) {
  return kFacts[static_cast<size_t>(dtype)].name;
}

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
  throw DTypeError("[file_dtype] unknown element type");
}

Tensor tensor_of(const FileTensor& stored) {
  Tensor tensor =
      Tensor::empty(Shape(std::span<const int64_t>(stored.shape)), memory_dtype(stored));
  if (!stored.bytes.empty()) std::memcpy(tensor.raw(), stored.bytes.data(), stored.bytes.size());
  return tensor;
}

const FileTensor* TensorArchive::find(std::string_view name) const {
  for (const FileTensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

}  // namespace mrcnn
