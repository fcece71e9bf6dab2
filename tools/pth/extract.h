// From tensors described in a pickle to contiguous little-endian arrays.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/io/tensor_file.h"
#include "tools/pth/checkpoint.h"

namespace mrcnn::pth {

struct NamedValue {
  std::string name;
  ValueId id = 0;  // a tensor or an array
};

// Tensors that lie contiguous in the file point into it; views, big-endian and deflated ones are
// copied. Every geometry is checked against its storage before anything is allocated.
// The archive keeps the checkpoint alive.
TensorArchive extract_tensors(const std::shared_ptr<const Checkpoint>& checkpoint,
                              const std::vector<NamedValue>& wanted);

}  // namespace mrcnn::pth
