// One annotation: its references, box, area and mask, alone and against each other.
#pragma once

#include <cstdint>
#include <optional>

#include "data/doctor/catalog.h"
#include "data/doctor/element.h"

namespace mrcnn {

// What checks between annotations need.
struct AnnotationRow {
  std::optional<int64_t> id;        // nothing if it has none that can be kept
  uint32_t image = IdIndex::kNone;  // row of the catalog
  uint32_t category = IdIndex::kNone;
  int64_t byte = 0;          // where it begins in the file
  uint64_t content = 0;      // hash of image, category, box and mask; 0 where one cannot be read
  bool states_mask = false;  // well or badly
  bool dropped = false;      // by a cleaned copy
  bool is_object = false;    // of JSON: all else is empty if it is not
};

AnnotationRow check_annotation(Element& element, const Catalog& catalog);

}  // namespace mrcnn
