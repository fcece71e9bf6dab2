// The objects of a pickle. They live in one arena and refer to each other by index, so shared
// objects, cycles and deep nesting cost nothing special and nothing is freed recursively.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/pth/element_type.h"
#include "tools/pth/globals.h"

namespace mrcnn::pth {

using ValueId = uint32_t;

enum class ValueKind : uint8_t {
  kNone,
  kBool,
  kInt,
  kDouble,
  kText,   // str, UTF-8 as found (not validated)
  kBytes,  // bytes, and the byte strings of Python 2, which also serve as text
  kTuple,
  kList,
  kDict,
  kGlobal,  // a name
  kStorage,
  kTensor,
  kNumpyDType,
  kArray,
  kOpaque,  // what an unknown name made; only the name is kept
};

std::string_view value_kind_name(ValueKind kind);

struct Value {
  ValueKind kind = ValueKind::kNone;
  uint32_t index = 0;          // into the table of its kind
  uint64_t position = 0;       // byte of the opcode that made it
  int64_t number = 0;          // kBool, kInt
  double real = 0;             // kDouble
  std::string_view text = {};  // kText, kBytes
};

struct Global {
  std::string_view module;
  std::string_view name;
  Meaning meaning = Meaning::kOpaque;
  uint64_t position = 0;
  std::string full_name() const { return std::string(module) + "." + std::string(name); }
};

// A run of elements in a stored buffer: all of it, or a view of it (legacy files only).
struct Storage {
  std::string_view key;
  const ElementType* type = nullptr;
  int64_t numel = 0;  // of the whole buffer
  int64_t view_offset = 0;
  int64_t view_numel = 0;
  bool is_meta = false;  // saved without data
};

struct TensorInfo {
  bool is_built = false;  // false: made empty and never filled
  uint32_t storage = 0;
  const ElementType* type = nullptr;
  int64_t offset = 0;  // in elements of type
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;
};

struct NumpyDType {
  const ElementType* type = nullptr;
  bool is_big_endian = false;
};

struct ArrayInfo {
  bool is_built = false;
  NumpyDType dtype;
  bool is_fortran = false;
  std::vector<int64_t> sizes;
  std::string_view data;
};

class PickleGraph {
 public:
  std::vector<Value> values;
  std::vector<std::vector<ValueId>> containers;  // of tuples, lists and dicts (key, value, key, ..)
  std::vector<Global> globals;
  std::vector<Storage> storages;
  std::vector<TensorInfo> tensors;
  std::vector<NumpyDType> dtypes;
  std::vector<ArrayInfo> arrays;

  const Value& operator[](ValueId id) const { return values[id]; }
  bool is(ValueId id, ValueKind kind) const { return values[id].kind == kind; }
  std::span<const ValueId> items(ValueId id) const { return containers[values[id].index]; }
  const Global& global(ValueId id) const { return globals[values[id].index]; }
  // Text of a str or a Python 2 byte string; false for anything else.
  bool text(ValueId id, std::string_view& out) const {
    const bool is_text = is(id, ValueKind::kText) || is(id, ValueKind::kBytes);
    if (is_text) out = values[id].text;
    return is_text;
  }
  // Keeps text that is not in the file as it is needed. References stay valid.
  std::string_view keep(std::string text) {
    kept_bytes += text.size();
    return texts_.emplace_back(std::move(text));
  }

  size_t num_items = 0;  // over all containers
  size_t kept_bytes = 0;

 private:
  std::deque<std::string> texts_;
};

}  // namespace mrcnn::pth
