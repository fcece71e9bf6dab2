// Colours of classes: the same class has the same colour in every picture and run.
#pragma once

#include <cstdint>

#include "data/image/write.h"

namespace mrcnn {

// Hues follow the golden ratio, so that any run of class ids is spread around the circle, in three
// steps of lightness; equal steps look equally bright (OKLCH).
RgbColour class_colour(int64_t label);

// Black or white, whichever is easier to read on the ground (WCAG 2.1 contrast ratio).
RgbColour readable_on(const RgbColour& ground);

}  // namespace mrcnn
