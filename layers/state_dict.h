// Between a module's parameters and named arrays of a weight file.
#pragma once

#include <string>
#include <vector>

#include "core/io/tensor_file.h"
#include "layers/module.h"

namespace mrcnn {

struct ParameterInfo {
  std::string name;
  std::vector<int64_t> file_shape;
  DType dtype = DType::kF32;
  bool is_buffer = false;
  bool optional = false;  // a file without it is complete (counters of batch normalisation)
};

// Every parameter and buffer in the reference's state_dict order.
std::vector<ParameterInfo> parameter_list(const Module& root);

struct LoadReport {
  std::vector<std::string> missing;     // declared, not in the file
  std::vector<std::string> unexpected;  // in the file, not declared
  std::vector<std::string> misshaped;   // "name: file [1,2], model [3,4]"
  int64_t matched = 0;

  bool complete() const { return missing.empty() && misshaped.empty(); }
  // All of it in a few lines; at most `limit` names of each kind.
  std::string to_string(size_t limit = 10) const;
};

// Sets the value of every parameter that the archive holds under the same name with the same
// shape; floating types are converted to f32. Reports everything that does not fit at once.
// Throws DTypeError if an array's type is not a floating one where floats are needed.
LoadReport load_parameters(Module& root, const TensorArchive& archive);

// The numbers of a file's array as f32, in the file's order. Throws DTypeError if they are not of a
// floating type.
Tensor floats_of(const FileTensor& source);

// Elements between file order and memory order (layers/parameter.h).
Tensor to_memory_order(const Tensor& file_order, const Parameter& parameter);
Tensor to_file_order(const Parameter& parameter);

}  // namespace mrcnn
