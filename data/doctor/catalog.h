// The images and categories of a file as annotations refer to them, checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/coco/id_index.h"
#include "data/doctor/element.h"
#include "data/doctor/finding.h"

namespace mrcnn {

struct CatalogRow {
  int64_t id = 0;
  int64_t element = 0;  // index in its section
  int64_t byte = 0;
  std::string name;    // file_name of an image; "" if it cannot be used
  int64_t height = 0;  // of an image; 0 if unknown
  int64_t width = 0;
  bool dropped = false;      // by a cleaned copy
  int64_t kept_id = 0;       // in a cleaned copy
  int64_t merged_into = -1;  // the row that a cleaned copy keeps in place of this one
  int64_t num_annotations = 0;
};

class Catalog {
 public:
  // Checks an element of "images" or "categories" and keeps what has an id.
  void add_image(Element& element, int64_t index, int64_t byte);
  void add_category(Element& element, int64_t index, int64_t byte);
  // Call it when all are added: checks them against each other.
  void finish(std::vector<Finding>& findings);

  std::vector<CatalogRow>& images() { return images_; }
  std::vector<CatalogRow>& categories() { return categories_; }
  const std::vector<CatalogRow>& images() const { return images_; }
  const std::vector<CatalogRow>& categories() const { return categories_; }
  // Row of the first with this id, or IdIndex::kNone.
  uint32_t image_row(int64_t id) const { return image_index_.find(id); }
  uint32_t category_row(int64_t id) const { return category_index_.find(id); }

  // The file broke before all were read, so that what is not here may exist.
  void mark_incomplete() { is_complete_ = false; }
  bool is_complete() const { return is_complete_; }

 private:
  std::vector<CatalogRow> images_;
  std::vector<CatalogRow> categories_;
  bool is_complete_ = true;
  IdIndex image_index_{0};
  IdIndex category_index_{0};
};

}  // namespace mrcnn
