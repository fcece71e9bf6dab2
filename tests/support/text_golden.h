// Small golden files as text: "tensor <name> f32 2x3x4" and then that many numbers, any layout.
// Written by the make_*.py scripts next to them, with enough digits to be exact.
#pragma once

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/primitives.h"
#include "core/tensor.h"

namespace mrcnn::test {
namespace detail {

[[noreturn]] inline void fail(const std::string& path, const std::string& place,
                              const std::string& problem) {
  throw FileError(ExitCode::kData, path, place, problem);
}

inline DType read_dtype(const std::string& path, const std::string& name, const std::string& text) {
  for (const DType dtype : {DType::kF32, DType::kF64, DType::kI32, DType::kI64, DType::kU8}) {
    if (dtype_name(dtype) == text) return dtype;
  }
  fail(path, name, "unknown element type " + text);
}

inline Shape read_shape(const std::string& text) {
  std::vector<int64_t> extents;
  std::istringstream parts(text);
  for (std::string extent; std::getline(parts, extent, 'x');) extents.push_back(std::stoll(extent));
  return Shape(std::span<const int64_t>(extents));
}

}  // namespace detail

// Throws FileError when the file is missing or not of this form.
inline std::map<std::string, Tensor> read_text_golden(const std::string& path) {
  std::ifstream file(path);
  if (!file) detail::fail(path, "", "cannot be opened");
  std::map<std::string, Tensor> tensors;
  std::string keyword, name, dtype, shape;
  while (file >> keyword) {
    if (keyword != "tensor" || !(file >> name >> dtype >> shape)) {
      detail::fail(path, keyword, "expected: tensor <name> <type> <shape>");
    }
    // f64 holds every f32 exactly, and every integer in these files.
    Tensor values = Tensor::empty(detail::read_shape(shape), DType::kF64);
    for (double& value : values.span<double>()) {
      std::string token;
      if (!(file >> token)) detail::fail(path, name, "the numbers end early");
      value = std::strtod(token.c_str(), nullptr);  // reads inf and nan, which >> does not
    }
    tensors[name] = cast(values, detail::read_dtype(path, name, dtype));
  }
  return tensors;
}

}  // namespace mrcnn::test
