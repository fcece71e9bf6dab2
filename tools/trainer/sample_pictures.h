// The first images of a data set with what a model finds in them.
#pragma once

#include <string>
#include <vector>

#include "core/tensor.h"
#include "data/dataset.h"
#include "models/mask_rcnn/mask_rcnn.h"

namespace mrcnn {

struct SamplePicture {
  int64_t index = 0;      // of the image
  std::string file_name;  // as annotated
  Tensor pixels;          // [2 * H, W, 3] u8: annotated above, found below
};

// Images that cannot be read have none.
std::vector<SamplePicture> draw_samples(const MaskRcnn& model, const Dataset& dataset);

}  // namespace mrcnn
