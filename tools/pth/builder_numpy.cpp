// NumPy's arrays in pickles. Source: NumPy 1.24 and 2.x, ndarray.__reduce__, dtype.__reduce__,
// numpy.core.numeric._frombuffer.
#include <fmt/format.h>

#include "tools/pth/builder.h"
#include "tools/pth/limits.h"

namespace mrcnn::pth {

ValueId Builder::new_array(ArrayInfo array) {
  if (graph_.arrays.size() >= kLimits.tensors) fail("the pickle holds too many arrays");
  graph_.arrays.push_back(std::move(array));
  return add({.kind = ValueKind::kArray, .index = static_cast<uint32_t>(graph_.arrays.size() - 1)});
}

// dtype("f4", align, copy): the type, whose byte order its state may change.
ValueId Builder::make_dtype(Arguments arguments) {
  expect_count(arguments, 1, 3, "numpy.dtype");
  std::string_view code = expect_text(arguments[0], "the code of a dtype");
  NumpyDType dtype;
  if (!code.empty() && (code[0] == '<' || code[0] == '>' || code[0] == '|' || code[0] == '=')) {
    dtype.is_big_endian = code[0] == '>';
    code.remove_prefix(1);
  }
  dtype.type = element_type_of_numpy(code);  // null: only an error if the array is needed
  if (graph_.dtypes.size() >= kLimits.tensors) fail("the pickle holds too many dtypes");
  graph_.dtypes.push_back(dtype);
  return add(
      {.kind = ValueKind::kNumpyDType, .index = static_cast<uint32_t>(graph_.dtypes.size() - 1)});
}

// (version, byte order, subarray, names, fields, size, alignment, flags[, metadata])
void Builder::build_dtype(ValueId target, Arguments state) {
  if (state.size() < 5) fail("the state of a NumPy dtype is too short");
  const std::string_view order = expect_text(state[1], "the byte order of a dtype");
  NumpyDType& dtype = graph_.dtypes[graph_[target].index];
  if (order != "<" && order != ">" && order != "|" && order != "=") {
    fail("the byte order of a NumPy dtype is unknown");
  }
  dtype.is_big_endian = order == ">";
  for (size_t i = 2; i < 5; ++i) {
    if (!graph_.is(state[i], ValueKind::kNone)) dtype.type = nullptr;  // has fields
  }
}

NumpyDType Builder::expect_dtype(ValueId id) const {
  if (!graph_.is(id, ValueKind::kNumpyDType)) {
    fail(fmt::format("the dtype of an array is {}", value_kind_name(graph_[id].kind)));
  }
  return graph_.dtypes[graph_[id].index];
}

std::string_view Builder::expect_data(ValueId id) const {
  if (!graph_.is(id, ValueKind::kBytes)) {
    fail(fmt::format("the data of an array is {}, not bytes", value_kind_name(graph_[id].kind)));
  }
  return graph_[id].text;
}

// (version, shape, dtype, is_fortran, data)
void Builder::build_array(ValueId target, Arguments state) {
  if (state.size() != 5) {
    fail(fmt::format("the state of a NumPy array has {} entries", state.size()));
  }
  ArrayInfo array;
  array.sizes = expect_sizes(state[1], "the shape of an array");
  array.dtype = expect_dtype(state[2]);
  if (!graph_.is(state[3], ValueKind::kBool)) fail("the order of an array is not a bool");
  array.is_fortran = graph_[state[3]].number != 0;
  // Arrays of objects have a list here; they are left unfilled and matter only if needed.
  if (graph_.is(state[4], ValueKind::kList)) return;
  array.data = expect_data(state[4]);
  array.is_built = true;
  graph_.arrays[graph_[target].index] = std::move(array);
}

// _frombuffer(data, dtype, shape, order)
ValueId Builder::array_from_buffer(Arguments arguments) {
  expect_count(arguments, 4, 5, "_frombuffer");
  ArrayInfo array;
  array.data = expect_data(arguments[0]);
  array.dtype = expect_dtype(arguments[1]);
  array.sizes = expect_sizes(arguments[2], "the shape of an array");
  const std::string_view order = expect_text(arguments[3], "the order of an array");
  if (order != "C" && order != "F") fail("the order of an array is neither C nor F");
  array.is_fortran = order == "F";
  array.is_built = true;
  return new_array(std::move(array));
}

// scalar(dtype, data): an array of rank 0.
ValueId Builder::numpy_scalar(Arguments arguments) {
  expect_count(arguments, 2, 2, "a NumPy scalar");
  ArrayInfo array;
  array.dtype = expect_dtype(arguments[0]);
  if (!graph_.is(arguments[1], ValueKind::kBytes)) return new_array({});  // an object
  array.data = expect_data(arguments[1]);
  array.is_built = true;
  return new_array(std::move(array));
}

}  // namespace mrcnn::pth
