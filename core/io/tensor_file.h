// What a weight file holds, whatever its format: named arrays and text metadata.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace mrcnn {

// Element types met in weight files; a superset of DType.
enum class FileDType : uint8_t {
  kBool,
  kU8,
  kI8,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kF64,
  kI64,
  kU64
};

int64_t file_dtype_bytes(FileDType dtype);
std::string_view file_dtype_name(FileDType dtype);  // safetensors spelling: "F32", "BF16", ...

FileDType file_dtype(DType dtype);

struct FileTensor {
  std::string name;
  FileDType dtype = FileDType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;  // contiguous, row-major, little-endian, of any alignment
};

// A tensor on the CPU, with its own memory. Throws DTypeError for types that tensors do not have.
Tensor tensor_of(const FileTensor& stored);

struct TensorArchive {
  std::vector<FileTensor> tensors;  // in the order of the file
  std::map<std::string, std::string> metadata;
  std::vector<std::shared_ptr<const void>> owners;  // keep the bytes alive

  // nullptr if there is none of that name. Linear; build a map for many look-ups.
  const FileTensor* find(std::string_view name) const;
};

}  // namespace mrcnn
