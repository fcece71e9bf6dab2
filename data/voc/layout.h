// Where the files of a PASCAL VOC data set lie.
#pragma once

#include <string>
#include <vector>

namespace mrcnn {

// Folders with ImageSets/Segmentation: `dir` itself, or all VOC* and VOCdevkit/VOC* below it.
std::vector<std::string> voc_roots(const std::string& dir);

// The folder with ImageSets/Segmentation: `dir` itself or a single VOC* or VOCdevkit/VOC* below.
// Throws FileError if there is none or more than one.
std::string find_voc_root(const std::string& dir);

// The names in ImageSets/Segmentation/<split>.txt. Throws UsageError if there is no such split
// (those that exist are listed), FileError that names the line of a name that is no plain file name
// or occurs twice, or if the list is empty.
std::vector<std::string> read_voc_split(const std::string& root, const std::string& split);

std::string voc_split_path(const std::string& root, const std::string& split);
std::string voc_annotation_path(const std::string& root, const std::string& name);
std::string voc_mask_path(const std::string& root, const std::string& name);
// The picture, .jpg before .jpeg and .png. Throws FileError if there is none.
std::string voc_image_path(const std::string& root, const std::string& name);

}  // namespace mrcnn
