// A PASCAL VOC data set as a COCO one.
#pragma once

#include <string>

#include "data/voc/voc.h"

namespace mrcnn {

struct VocToCocoResult {
  std::string annotation_path;
  bool written = false;  // false if the same file was there already
};

// Writes DIR/annotations/instances_<split>.json, masks as compressed RLE, and the link DIR/<split>
// to the folder of the pictures. Files and links that hold something else throw UsageError before
// anything is written, or are replaced if wanted; a folder is never replaced. Throws FileError.
VocToCocoResult write_voc_as_coco(const Dataset& dataset, const std::string& split,
                                  const std::string& dir, bool replace);

}  // namespace mrcnn
