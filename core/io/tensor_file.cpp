#include "core/io/tensor_file.h"

#include <array>

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

}  // namespace

int64_t file_dtype_bytes(FileDType dtype) { return kFacts[static_cast<size_t>(dtype)].bytes; }

std::string_view file_dtype_name(FileDType dtype) {
  return kFacts[static_cast<size_t>(dtype)].name;
}

const FileTensor* TensorArchive::find(std::string_view name) const {
  for (const FileTensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

}  // namespace mrcnn
