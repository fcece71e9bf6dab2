// The counts of a data set as a picture: classes, sizes of objects, objects in an image.
#pragma once

#include "core/tensor.h"
#include "tools/dataset/stats.h"

namespace mrcnn {

// [H, W, 3] u8 RGB; the height follows the number of classes, of which the most frequent are shown.
Tensor draw_stats(const DatasetStats& stats);

}  // namespace mrcnn
