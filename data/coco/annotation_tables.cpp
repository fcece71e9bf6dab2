#include "data/coco/annotation_tables.h"

#include <algorithm>
#include <cstring>

#include "core/io/sha256.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

constexpr std::string_view kContent = "coco annotations 1";

// Collects small values into updates of some kilobytes.
class Hasher {
 public:
  template <typename T>
  void add(const T& value) {
    if (used_ + sizeof(T) > buffer_.size()) flush();
    std::memcpy(buffer_.data() + used_, &value, sizeof(T));
    used_ += sizeof(T);
  }
  template <typename T>
  void add_all(std::span<const T> values) {
    add(uint64_t{values.size()});
    if (values.size_bytes() <= buffer_.size() - used_) {
      if (!values.empty()) std::memcpy(buffer_.data() + used_, values.data(), values.size_bytes());
      used_ += values.size_bytes();
      return;
    }
    flush();
    hash_.update(std::as_bytes(values));
  }
  Digest finish() {
    flush();
    return hash_.finish();
  }

 private:
  void flush() {
    hash_.update(std::span(buffer_).first(used_));
    used_ = 0;
  }

  Sha256 hash_;
  std::array<std::byte, 16384> buffer_{};
  size_t used_ = 0;
};

// Whether [begin, begin + count) lies in an array of `size`.
bool inside(uint64_t begin, uint64_t count, size_t size) {
  return begin <= size && count <= size - begin;
}

}  // namespace

std::string_view AnnotationTables::name_of(const CategoryRow& row) const {
  return {names.data() + row.name_begin, row.name_size};
}

std::string_view AnnotationTables::name_of(const ImageRow& row) const {
  return {names.data() + row.name_begin, row.name_size};
}

std::span<const uint32_t> AnnotationTables::geometry_of(const ObjectRow& row) const {
  return geometry.subspan(row.geometry_begin, row.geometry_size);
}

Digest content_of(const AnnotationTables& tables) {
  if (tables.content) return *tables.content;
  Hasher hasher;
  hasher.add_all(std::span<const char>(kContent));
  hasher.add(uint64_t{tables.categories.size()});
  for (const CategoryRow& category : tables.categories) {
    hasher.add(category.id);
    hasher.add_all(std::span<const char>(tables.name_of(category)));
  }
  hasher.add(uint64_t{tables.images.size()});
  for (const ImageRow& image : tables.images) {
    hasher.add(image.id);
    hasher.add_all(std::span<const char>(tables.name_of(image)));
    hasher.add(image.height);
    hasher.add(image.width);
    hasher.add(image.num_objects);
    for (const uint32_t row : tables.by_image.subspan(image.first_object, image.num_objects)) {
      const ObjectRow& object = tables.objects[row];
      hasher.add(object.id);
      hasher.add(object.box);
      hasher.add(object.area);
      hasher.add(tables.categories[object.category].id);
      hasher.add(object.crowd);
      hasher.add(object.geometry);
      hasher.add_all(tables.geometry_of(object));
    }
  }
  return hasher.finish();
}

bool is_consistent(const AnnotationTables& tables) {
  const auto category_fits = [&](const CategoryRow& row) {
    return inside(row.name_begin, row.name_size, tables.names.size());
  };
  const auto image_fits = [&](const ImageRow& row) {
    return inside(row.name_begin, row.name_size, tables.names.size()) && row.height >= 1 &&
           row.width >= 1 && row.height <= kMaxRlePixels / row.width &&
           std::max(row.height, row.width) <= kLimits.annotation.side &&
           inside(row.first_object, row.num_objects, tables.by_image.size());
  };
  const auto object_fits = [&](const ObjectRow& row) {
    return inside(row.geometry_begin, row.geometry_size, tables.geometry.size()) &&
           row.image < tables.images.size() && row.category < tables.categories.size() &&
           row.geometry <= GeometryKind::kString;
  };
  return std::all_of(tables.categories.begin(), tables.categories.end(), category_fits) &&
         std::all_of(tables.images.begin(), tables.images.end(), image_fits) &&
         std::all_of(tables.objects.begin(), tables.objects.end(), object_fits) &&
         std::all_of(tables.by_image.begin(), tables.by_image.end(),
                     [&](uint32_t row) { return row < tables.objects.size(); });
}

}  // namespace mrcnn
