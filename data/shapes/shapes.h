// Pictures of plain figures with exact masks, made from a seed: a data set that is always at hand
// and that a small model learns in minutes. Circles, rectangles, triangles, stars and rings of many
// sizes, turned and coloured at random, partly hidden by each other and by the border, on plain,
// striped, shaded or cloudy ground with noise. Not anti-aliased: each pixel is one object's or the
// background's.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rle.h"
#include "core/tensor.h"
#include "data/dataset.h"

namespace mrcnn {

struct ShapesParams {
  uint64_t seed = 1;
  int64_t height = 128;
  int64_t width = 128;
  int64_t min_objects = 1;  // in an image; fewer only where there is no room
  int64_t max_objects = 6;
};

struct ShapesObject {
  int64_t label = 0;
  Rle mask;  // what can be seen of it
};

struct ShapesImage {
  Tensor pixels;                      // [H, W, 3] u8
  std::vector<ShapesObject> objects;  // from the farthest to the nearest; at least one
};

const std::vector<DatasetClass>& shapes_classes();  // labels 1.., category ids the same

// Throws UsageError: sides from 32 to 4096 pixels, 1 <= min_objects <= max_objects <= 32.
void check_shapes_params(const ShapesParams& params);

// A function of params and index (0 .. 2^32 - 1) only. Every object shows at least 60 % of its
// figure; one that would leave less of itself or of an earlier one is not drawn.
ShapesImage generate_shapes(const ShapesParams& params, int64_t index);

}  // namespace mrcnn
