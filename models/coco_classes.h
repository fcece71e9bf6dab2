// The class names of COCO in the layout of torchvision's models.
#pragma once

#include <span>
#include <string_view>

namespace mrcnn {

// Index = COCO category id; 0 is the background, ids that COCO does not use are "N/A".
// Source: COCO 2017, instances_val2017.json, categories; torchvision's meta["categories"].
std::span<const std::string_view> coco_class_names();  // 91

bool is_coco_class_used(int id);  // false for 0, for "N/A" and outside of the table

}  // namespace mrcnn
