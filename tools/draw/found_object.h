// What a model found, as something to draw.
#pragma once

#include <cstdint>
#include <string>

#include "models/detection/instances.h"
#include "tools/draw/overlay.h"

namespace mrcnn {

// Object `index` of an image, labelled "dog 87%". mask: of the image's size.
OverlayItem found_object(const Instances& instances, int64_t index, Rle mask,
                         const std::string& class_name);

}  // namespace mrcnn
