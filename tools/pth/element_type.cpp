#include "tools/pth/element_type.h"

#include <algorithm>
#include <array>

namespace mrcnn::pth {
namespace {

constexpr ElementType kTypes[] = {
    {"float64", "DoubleStorage", "f8", 8, FileDType::kF64},
    {"float32", "FloatStorage", "f4", 4, FileDType::kF32},
    {"float16", "HalfStorage", "f2", 2, FileDType::kF16},
    {"bfloat16", "BFloat16Storage", "", 2, FileDType::kBF16},
    {"int64", "LongStorage", "i8", 8, FileDType::kI64},
    {"int32", "IntStorage", "i4", 4, FileDType::kI32},
    {"int16", "ShortStorage", "i2", 2, FileDType::kI16},
    {"int8", "CharStorage", "i1", 1, FileDType::kI8},
    {"uint8", "ByteStorage", "u1", 1, FileDType::kU8},
    {"uint16", "", "u2", 2, FileDType::kU16},
    {"uint32", "", "u4", 4, FileDType::kU32},
    {"uint64", "", "u8", 8, FileDType::kU64},
    {"bool", "BoolStorage", "b1", 1, FileDType::kBool},
    {"complex64", "ComplexFloatStorage", "c8", 8, std::nullopt},
    {"complex128", "ComplexDoubleStorage", "c16", 16, std::nullopt},
    {"qint8", "QInt8Storage", "", 1, std::nullopt},
    {"quint8", "QUInt8Storage", "", 1, std::nullopt},
    {"qint32", "QInt32Storage", "", 4, std::nullopt},
    {"quint4x2", "QUInt4x2Storage", "", 1, std::nullopt},
    {"quint2x4", "QUInt2x4Storage", "", 1, std::nullopt},
    {"float8_e4m3fn", "", "", 1, std::nullopt},
    {"float8_e5m2", "", "", 1, std::nullopt},
    {"float8_e4m3fnuz", "", "", 1, std::nullopt},
    {"float8_e5m2fnuz", "", "", 1, std::nullopt},
};

const ElementType* find_by(std::string_view ElementType::*field, std::string_view wanted) {
  const auto found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const ElementType& type) { return type.*field == wanted; });
  return wanted.empty() || found == std::end(kTypes) ? nullptr : found;
}

// torch's other names for the same types.
std::string_view torch_alias(std::string_view name) {
  constexpr std::array<std::array<std::string_view, 2>, 7> kAliases = {{{"float", "float32"},
                                                                        {"double", "float64"},
                                                                        {"half", "float16"},
                                                                        {"long", "int64"},
                                                                        {"int", "int32"},
                                                                        {"short", "int16"},
                                                                        {"cfloat", "complex64"}}};
  for (const auto& [alias, full] : kAliases) {
    if (alias == name) return full;
  }
  return name;
}

}  // namespace

const ElementType* element_type_of_storage(std::string_view storage_class) {
  const bool untyped = storage_class == "UntypedStorage" || storage_class == "_UntypedStorage";
  return find_by(&ElementType::storage, untyped ? "ByteStorage" : storage_class);
}

const ElementType* element_type_of_torch(std::string_view dtype) {
  return find_by(&ElementType::name, torch_alias(dtype));
}

const ElementType* element_type_of_numpy(std::string_view code) {
  return find_by(&ElementType::numpy, code);
}

}  // namespace mrcnn::pth
