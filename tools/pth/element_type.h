// Element types of tensors and arrays in pickles, under the names that PyTorch and NumPy give them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/io/tensor_file.h"

namespace mrcnn::pth {

struct ElementType {
  std::string_view name;                // torch's spelling: "float32"
  std::string_view storage;             // legacy storage class: "FloatStorage"; "" if there is none
  std::string_view numpy;               // kind and size: "f4"; "" if there is none
  int64_t bytes;                        // of one element
  std::optional<FileDType> file_dtype;  // empty: known, but no weight of ours can be of that type
};

// nullptr if the name is unknown. Storages named Untyped hold bytes and are uint8 here.
const ElementType* element_type_of_storage(std::string_view storage_class);
const ElementType* element_type_of_torch(std::string_view dtype);
const ElementType* element_type_of_numpy(std::string_view code);

}  // namespace mrcnn::pth
