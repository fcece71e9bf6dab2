// The module tree of a Mask R-CNN: names, parameters and printed form, as the reference has them.
// The tree has no arithmetic; `MaskRcnn` runs on the layers this struct points into.
#pragma once

#include <memory>

#include "layers/containers.h"
#include "models/detection/box_head.h"
#include "models/detection/mask_head.h"
#include "models/detection/rpn_head.h"
#include "models/fpn/fpn.h"
#include "models/mask_rcnn/config.h"
#include "models/resnet/resnet.h"

namespace mrcnn {

struct MaskRcnnTree {
  std::unique_ptr<Container> root;

  ResNetLayers body;
  FpnLayers neck;
  RpnHeadLayers rpn;
  BoxHeadLayers box;
  MaskHeadLayers mask;
};

// Parameters are declared, not allocated: their values stay undefined until loaded.
MaskRcnnTree build_tree(const MaskRcnnConfig& config);

}  // namespace mrcnn
