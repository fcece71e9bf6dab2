// The fields of an element by their names, and places inside one.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "data/coco/element_parser.h"

namespace mrcnn {

// In the order in which a missing one is complained of.
struct ElementFieldName {
  std::string_view name;
  ElementField bit;
};
inline constexpr std::array<ElementFieldName, 8> kElementFields = {
    {{"id", kIdField},
     {"image_id", kImageIdField},
     {"category_id", kCategoryIdField},
     {"bbox", kBoxField},
     {"area", kAreaField},
     {"score", kScoreField},
     {"segmentation", kSegmentationField},
     {"iscrowd", kCrowdField}}};

inline uint32_t field_bit(std::string_view name) {
  for (const ElementFieldName& field : kElementFields) {
    if (field.name == name) return field.bit;
  }
  return 0;
}

// Where in an element the parser is: "segmentation[0][3]".
struct ElementPlace {
  std::string_view field = {};
  int64_t part = -1;
  int64_t item = -1;

  std::string text() const {
    std::string text(field);
    if (part >= 0) text += fmt::format("[{}]", part);
    if (item >= 0) text += fmt::format("[{}]", item);
    return text;
  }
};

}  // namespace mrcnn
