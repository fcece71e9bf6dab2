// A whole model with seeded weights (models/seeded_weights.h).
#pragma once

#include <cstdint>

#include "layers/module.h"

namespace mrcnn {

// Sets every parameter and buffer of the tree.
void load_seeded(Module& root, uint64_t seed);

}  // namespace mrcnn
