// Opens a data set of any kind that a command line may name.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "data/voc/voc.h"

namespace mrcnn {

using DatasetWarning = std::function<void(const std::string&)>;

// Warns of every image that is left out. Throws as open_voc does.
std::unique_ptr<VocDataset> open_voc_dataset(const std::string& dir, const std::string& split,
                                             const VocOptions& options, const DatasetWarning& warn);

// `path` is a folder of PASCAL VOC or of COCO, or a COCO annotation file, which has no splits;
// `images` is the folder of its pictures, and may be "" where they are not opened. Of a COCO data
// set everything is taken as it is; what is wrong in it is left out with a warning, or an error
// where the options say so (mismatch). Options that concern PASCAL VOC only throw UsageError for
// it.
std::unique_ptr<Dataset> open_dataset(const std::string& path, const std::string& split,
                                      const VocOptions& options, const DatasetWarning& warn,
                                      const std::string& images = "");

}  // namespace mrcnn
