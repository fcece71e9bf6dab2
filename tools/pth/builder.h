// Makes the objects of a pickle: plain values, and what the known names turn their arguments into.
#pragma once

#include <cstdint>
#include <string>

#include "tools/pth/input.h"
#include "tools/pth/pickle.h"
#include "tools/pth/pickle_graph.h"

namespace mrcnn::pth {

class Builder {
 public:
  Builder(const Input& input, const PickleOptions& options, PickleGraph& graph);

  // Byte of the current opcode, for errors and for the values it makes.
  void set_position(uint64_t position) { position_ = position; }
  [[noreturn]] void fail(const std::string& problem) const { input_.fail(position_, problem); }

  ValueId none() const { return none_; }
  ValueId boolean(bool value) const { return value ? true_ : false_; }
  ValueId integer(int64_t value);
  ValueId real(double value);
  ValueId text(ValueKind kind, std::string_view value);
  ValueId container(ValueKind kind, std::vector<ValueId> items);
  ValueId global(std::string_view module, std::string_view name);

  // Each checks that the target is of the right kind; unknown objects swallow what they are given.
  void append(ValueId target, std::span<const ValueId> items);
  void set_items(ValueId target, std::span<const ValueId> keys_and_values);
  ValueId reduce(ValueId callable, ValueId arguments);
  ValueId new_object(ValueId type, ValueId arguments);
  void build(ValueId target, ValueId state);
  ValueId storage_reference(ValueId id);

 private:
  using Arguments = std::span<const ValueId>;

  ValueId add(Value value);
  ValueId opaque(ValueId callable);
  void expect_count(Arguments arguments, size_t least, size_t most, const char* what) const;
  std::span<const ValueId> tuple_items(ValueId id, const char* what) const;
  int64_t expect_int(ValueId id, const char* what) const;
  std::string_view expect_text(ValueId id, const char* what) const;
  std::vector<int64_t> expect_sizes(ValueId id, const char* what) const;

  ValueId make_dict(Arguments arguments);
  ValueId encode_latin1(Arguments arguments);
  ValueId new_tensor(TensorInfo tensor);
  ValueId rebuild(Meaning meaning, ValueId callable, Arguments arguments);
  ValueId rebuild_from_type(ValueId callable, Arguments arguments);
  TensorInfo tensor_info(Arguments arguments) const;  // storage, offset, size, stride, ...
  void build_tensor(ValueId target, ValueId state);
  const ElementType* storage_type(ValueId id) const;
  Storage legacy_view(Storage storage, ValueId view) const;

  ValueId new_array(ArrayInfo array);
  NumpyDType expect_dtype(ValueId id) const;
  std::string_view expect_data(ValueId id) const;
  ValueId make_dtype(Arguments arguments);
  ValueId numpy_scalar(Arguments arguments);
  ValueId array_from_buffer(Arguments arguments);
  void build_dtype(ValueId target, Arguments state);
  void build_array(ValueId target, Arguments state);

  const Input& input_;
  PickleOptions options_;
  PickleGraph& graph_;
  uint64_t position_ = 0;
  ValueId none_ = 0, true_ = 0, false_ = 0, empty_tuple_ = 0;
};

}  // namespace mrcnn::pth
