// Values of an untrained Mask R-CNN, as its reference initialises it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layers/module.h"

namespace mrcnn {

// Gives every parameter and buffer a value that is a function of (seed, name) (layers/init.h):
//   body convolutions             Kaiming normal, fan out
//   norms                         weight 1, bias 0, mean 0, variance 1
//   FPN, single lateral and output  Kaiming uniform with a = 1, bias 0
//   RPN head                      normal 0.01, bias 0
//   box head's convolutions (v2), mask head, mask predictor  Kaiming normal, fan out; biases 0 in
//                                 torchvision's mask head, the framework's default elsewhere
//   linear layers                 the framework's default
// Sources: torchvision 0.29 (ops/feature_pyramid_network.py, models/detection/rpn.py,
// faster_rcnn.py, mask_rcnn.py); the original system does the same but for its mask head, whose
// biases keep the default.
void initialise(Module& root, uint64_t seed);

// The same for parameters that are still undefined, such as heads of another number of classes than
// a weight file has. Returns their names.
std::vector<std::string> initialise_missing(Module& root, uint64_t seed);

}  // namespace mrcnn
