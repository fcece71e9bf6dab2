// The models by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/mask_rcnn/config.h"

namespace mrcnn {

std::vector<std::string> model_names();

// `num_classes` counts background. Throws UsageError on an unknown name (with the known ones) or
// fewer than 2 classes.
MaskRcnnConfig model_config(std::string_view name, int64_t num_classes = 91);

}  // namespace mrcnn
