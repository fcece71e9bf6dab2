// Numbers and names that results carry: image ids and the names of output pictures.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tools/infer/inputs.h"

namespace mrcnn {

// One id per image, all different. A file whose name without extension is a number (COCO's
// 000000139.jpg) that no other image shares gets that number; any other image its position in the
// list, counted from 1, or the next number that is free. Ids do not depend on which images turn out
// to be readable.
std::vector<int64_t> assign_image_ids(std::span<const InputImage> images);

// One path per image below an output directory, without extension, all different: `relative`
// without its extension ("holiday/beach"), and with "-2", "-3", ... for the later ones of images
// that would share it (beach.jpg and beach.png, or files of two directories).
std::vector<std::string> assign_picture_names(std::span<const InputImage> images);

// "<directory>/<picture_name>.png"
std::string picture_path(const std::string& directory, const std::string& picture_name);
// The same, and makes the directories in between. Throws FileError.
std::string make_picture_path(const std::string& directory, const std::string& picture_name);

}  // namespace mrcnn
