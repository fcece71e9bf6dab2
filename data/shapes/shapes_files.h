// The shapes set as files: a COCO data set that everything else reads like any other.
//   DIR/annotations/instances_<split>.json, DIR/<split>/000001.png ...
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/shapes/shapes.h"

namespace mrcnn {

struct ShapesSplit {
  std::string name;
  int64_t num_images = 0;
  int64_t first_index = 0;  // of generate_shapes
};

// "train" and "val" without an image in common, whatever their sizes: those of "val" start at 2^31.
// A split of 0 images is left out; negative or more than a million throw UsageError.
std::vector<ShapesSplit> shapes_splits(int64_t train_images, int64_t val_images);

enum class ExistingFiles { kKeep, kReplace };

// Writes what is not there yet and returns whether it wrote anything. A split is there if its
// annotation file names the same parameters and all its pictures exist. An annotation file appears
// last and complete; one that holds something else throws UsageError before anything is written,
// or is replaced. Image ids are 1, 2, ... in each split, as in the names of the pictures. The time
// goes into the pictures, which all threads write. Throws FileError.
bool write_shapes_files(const std::string& dir, const std::vector<ShapesSplit>& splits,
                        const ShapesParams& params, ExistingFiles existing);

}  // namespace mrcnn
