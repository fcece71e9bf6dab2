// One image of a PASCAL VOC data set: its annotation and its masks, paired.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"

namespace mrcnn {

struct VocEntry {
  DatasetImage image;                  // without its id
  std::vector<DatasetObject> objects;  // without their ids
  std::string mismatch;                // why the image cannot be used, "" if it can
};

// Reads the files of the image `name` below `root`. `compat` as in VocOptions. Throws FileError.
VocEntry load_voc_entry(const std::string& root, const std::string& name,
                        const std::vector<DatasetClass>& classes, bool compat);

}  // namespace mrcnn
