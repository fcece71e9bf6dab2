// One image of a data set with the objects that training learns from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rle.h"
#include "core/tensor.h"
#include "data/dataset.h"
#include "data/image/image.h"
#include "data/loader/augmentation.h"

namespace mrcnn {

struct Sample {
  int64_t index = 0;  // in the data set
  int64_t image_id = 0;
  std::string path;
  Tensor pixels = {};           // [H, W, 3] u8, RGB
  Tensor boxes = {};            // [G, 4] f32 (x1, y1, x2, y2), pixels
  Tensor labels = {};           // [G] i32
  std::vector<Rle> masks = {};  // G, of the image's size
  Augmentation augmentation = {};
};

struct SampleOptions {
  bool keep_crowd = false;  // the original system trains on regions of crowds too
  // Annotations refer to the stored rows and columns, as pycocotools and torchvision read them.
  DecodeOptions decode{.exif = ExifPolicy::kIgnore};
};

// Reads the image and its objects. Boxes are cut to the image; objects of a crowd, without extent
// or without a pixel are left out. Throws FileError (ExitCode::kData): an image that cannot be
// decoded or whose size is not the annotated one, an annotation that makes no mask.
Sample load_sample(const Dataset& dataset, int64_t index, const SampleOptions& options);

}  // namespace mrcnn
