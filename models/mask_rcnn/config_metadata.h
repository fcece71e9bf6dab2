// Between a model's configuration and the text metadata that travels with its weights.
#pragma once

#include <map>
#include <string>

#include "models/mask_rcnn/config.h"

namespace mrcnn {

// Overwrites what the metadata states (models/weight_metadata.h has the keys); absent keys keep the
// model's defaults. Throws Error with ExitCode::kModel, naming key and value, on a value that
// cannot be read.
void apply_metadata(const std::map<std::string, std::string>& metadata, MaskRcnnConfig& config);

// The inverse: states everything that apply_metadata reads.
void describe_config(const MaskRcnnConfig& config, std::map<std::string, std::string>& metadata);

}  // namespace mrcnn
