// What a run will write, checked before the model is loaded.
#pragma once

#include <string>
#include <vector>

#include "tools/infer/inputs.h"
#include "tools/infer/options.h"

namespace mrcnn {

// Throws UsageError if two outputs are one place, or if writing a result would replace one of the
// images, the weights or a list. Makes the output directories; FileError if that fails.
void prepare_outputs(const InferOptions& options, const std::vector<InputImage>& images);

}  // namespace mrcnn
