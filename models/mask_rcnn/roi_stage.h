// From the proposals of one image to its detections: RoIAlign, box head, non-maximum suppression,
// mask head, and back to the original image's pixels.
#pragma once

#include <span>

#include "core/tensor.h"
#include "kernels/image/resize_normalize_pad.h"
#include "models/detection/box_head.h"
#include "models/detection/instances.h"
#include "models/detection/mask_head.h"
#include "models/detection/observer.h"
#include "models/mask_rcnn/config.h"

namespace mrcnn {

class RoiStage {
 public:
  // maps [N, h, w, C], finest first; all referenced for the object's life.
  RoiStage(const MaskRcnnConfig& config, std::span<const Tensor> maps, const BoxHead& box,
           const MaskHead& mask);

  struct Sizes {
    ImageSize original;
    ImageSize network;  // what boxes are clipped to and rescaled by
  };

  // proposals [P, 4], pixels of the network's input image `image_index` of the batch.
  Instances run(int64_t image_index, const Tensor& proposals, const Sizes& sizes,
                const Observer& observer) const;

 private:
  struct Detections {
    Tensor boxes;   // [D, 4], network pixels
    Tensor scores;  // [D]
    Tensor labels;  // [D] i64
  };

  Tensor pool(int64_t image_index, const Tensor& boxes, int64_t grid) const;
  Detections select(const BoxHeadOutput& output, const Tensor& proposals,
                    const ImageSize& network) const;
  Tensor predict_masks(int64_t image_index, const Detections& detections) const;

  const MaskRcnnConfig& config_;
  std::span<const Tensor> maps_;
  const BoxHead& box_;
  const MaskHead& mask_;
};

}  // namespace mrcnn
