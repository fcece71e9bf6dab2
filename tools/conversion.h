// From weights as somebody named them to the tensors of one of our models.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/io/tensor_file.h"
#include "models/checkpoint_names.h"

namespace mrcnn {

struct ConversionOptions {
  std::string model;                   // "": told by the names, or by the file's metadata
  std::optional<int64_t> num_classes;  // nothing: told by the class scores
  std::optional<std::string> bn_eps;   // instead of what the kind of file implies
};

struct Conversion {
  std::string model;
  int64_t num_classes = 0;
  TensorArchive archive;  // named as the model has it, with metadata
  TranslationResult names;
  std::vector<NameAndShape> source;  // what `names` refers to

  // Counts, and every name that did not fit, one a line.
  std::string report() const;
};

// `source` keeps nothing: tensors that need no change point to where they did before. Metadata of a
// file that we wrote wins over what its names imply. `path` is for messages.
// Throws FileError (ExitCode::kModel) when the names are of no known kind, UsageError when the
// model or the number of classes cannot be told or is wrong.
Conversion convert_to_model(const TensorArchive& source, const std::string& path,
                            const ConversionOptions& options);

// The lines of --list and --hash: "f32 [64,3,7,7] conv1.weight", in front of it the SHA-256 of the
// contiguous little-endian bytes.
std::string describe_tensor(const FileTensor& tensor);
std::vector<std::string> hash_tensors(const TensorArchive& archive);

// Number of NaN and infinite values among the floating-point tensors.
int64_t count_non_finite(const TensorArchive& archive);

}  // namespace mrcnn
