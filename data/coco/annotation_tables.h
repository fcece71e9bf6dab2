// The content of a COCO annotation file in flat arrays, which a cache file holds as they are.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/coco/geometry.h"

namespace mrcnn {

// No row has padding, so that equal rows have equal bytes.
struct CategoryRow {
  int64_t id = 0;
  uint64_t name_begin = 0;  // in the pool of names
  uint64_t name_size = 0;
};
static_assert(sizeof(CategoryRow) == 24);

struct ImageRow {
  int64_t id = 0;
  uint64_t name_begin = 0;
  uint32_t name_size = 0;
  int32_t height = 0;
  int32_t width = 0;
  uint32_t first_object = 0;  // of its objects in the order by image
  uint32_t num_objects = 0;
  uint32_t unused = 0;
};
static_assert(sizeof(ImageRow) == 40);

struct ObjectRow {
  int64_t id = 0;
  std::array<double, 4> box{};  // x, y, width, height, as the file spells it
  double area = 0;
  uint64_t geometry_begin = 0;  // words
  uint32_t geometry_size = 0;
  uint32_t image = 0;     // row
  uint32_t category = 0;  // row
  uint8_t crowd = 0;
  GeometryKind geometry = GeometryKind::kNone;
  uint16_t unused = 0;
};
static_assert(sizeof(ObjectRow) == 72);

using Digest = std::array<uint8_t, 32>;  // SHA-256

struct AnnotationTables {
  std::span<const CategoryRow> categories;  // ascending id
  std::span<const ImageRow> images;         // ascending id
  std::span<const ObjectRow> objects;       // as in the file
  std::span<const uint32_t> by_image;       // rows of objects, image after image
  std::span<const uint32_t> geometry;
  std::span<const char> names;
  std::optional<Digest> content;  // content_of() the above, where it is known already
  std::shared_ptr<const void> owner;

  std::string_view name_of(const CategoryRow& row) const;
  std::string_view name_of(const ImageRow& row) const;
  std::span<const uint32_t> geometry_of(const ObjectRow& row) const;
};

// A hash of what the tables say: the same for any spelling, spacing and order of keys in the file,
// and for any layout of the tables.
Digest content_of(const AnnotationTables& tables);

// Whether every row points inside the arrays, whatever bytes the tables were made from. What the
// geometry's words say is checked when a mask is drawn from them.
bool is_consistent(const AnnotationTables& tables);

}  // namespace mrcnn
