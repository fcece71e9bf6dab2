// From the tensors of one of our models to those that the reference's load_state_dict takes.
#pragma once

#include <string>
#include <vector>

#include "core/io/tensor_file.h"
#include "tools/conversion.h"

namespace mrcnn {

enum class ExportNames {
  kPresent,
  kLegacy,  // torchvision before 0.13, as in its published v1 file
};

struct WeightExport {
  TensorArchive archive;
  // What else the reference's model has to be told to compute the same, a line each.
  std::vector<std::string> notes;
};

// Every tensor of the reference's state dict: floats as f32, counters of batch normalisation as i64
// (0 where the source has none). `path` is for messages. Throws UsageError when the model never had
// such names; FileError (ExitCode::kModel) when tensors are missing or when the weights belong to a
// network that the reference cannot build.
WeightExport export_weights(const Conversion& conversion, const std::string& path,
                            ExportNames names);

}  // namespace mrcnn
