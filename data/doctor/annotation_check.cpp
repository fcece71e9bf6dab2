#include "data/doctor/annotation_check.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstring>
#include <functional>

#include "data/doctor/box_check.h"
#include "data/doctor/segmentation.h"

namespace mrcnn {
namespace {

namespace dom = simdjson::dom;

// The row that a reference leads to; kNone, reported if it can be known, where there is none.
uint32_t check_reference(Element& element, const char* key, FindingKind unknown, bool all_known,
                         const std::function<uint32_t(int64_t)>& row_of) {
  const std::optional<int64_t> id = element.require_integer(key, FindingKind::kBadId);
  if (!id) return IdIndex::kNone;
  const uint32_t row = row_of(*id);
  if (row == IdIndex::kNone && all_known) {
    element.report(unknown, key, fmt::format("{} is the id of nothing", *id), Remedy::kDropped);
  }
  return row;
}

// Something refers to a row that a cleaned copy may drop, merge or number anew.
void follow(Element& element, const char* key, const std::vector<CatalogRow>& rows, uint32_t at) {
  const CatalogRow& row = rows[at];
  const CatalogRow& kept = row.merged_into < 0 ? row : rows[static_cast<size_t>(row.merged_into)];
  if (kept.dropped) {
    element.drop();
  } else if (kept.kept_id != row.id) {
    element.repair().fields[key] = std::to_string(kept.kept_id);
  }
}

// COCO's tools take every number but 0 for a crowd.
bool check_crowd_flag(Element& element) {
  const std::optional<dom::element> value = element.find("iscrowd");
  if (!value) return false;
  bool flag = false;
  if (value->get(flag) == simdjson::SUCCESS) return flag;
  const IntegerRead read = read_integer(*value);
  const bool is_crowd = read.form != IntegerRead::Form::kOther && read.value != 0;
  const auto set = [&](FindingKind kind, Remedy remedy) {
    element.report(kind, "iscrowd", fmt::format("{} is neither 0 nor 1", shown_value(*value)),
                   remedy);
    element.repair().fields["iscrowd"] = is_crowd ? "1" : "0";
  };
  if (read.form == IntegerRead::Form::kText && (read.value == 0 || read.value == 1)) {
    set(FindingKind::kNumberAsString, Remedy::kWrittenAsNumber);
  } else if (read.form != IntegerRead::Form::kNumber || read.value < 0 || read.value > 1) {
    set(FindingKind::kCrowdFlag, Remedy::kCrowdSet);
  }
  return is_crowd;
}

class Hash {
 public:
  template <typename T>
  void add(const T& value) {
    add_bytes(&value, sizeof(value));
  }
  template <typename T>
  void add_all(const std::vector<T>& values) {
    add(values.size());
    add_bytes(values.data(), values.size() * sizeof(T));
  }
  uint64_t value() const { return value_; }

 private:
  // Eight bytes at a time: every annotation of a large file passes here.
  void add_bytes(const void* bytes, size_t size) {
    const auto* at = static_cast<const char*>(bytes);
    for (; size > 0;) {
      uint64_t word = 0;
      const size_t count = size < sizeof(word) ? size : sizeof(word);
      std::memcpy(&word, at, count);
      value_ = (value_ ^ word) * 0x9E3779B97F4A7C15;
      value_ ^= value_ >> 29;
      at += count;
      size -= count;
    }
  }

  uint64_t value_ = 0xCBF29CE484222325;
};

// Nothing where a new one has to be given.
std::optional<int64_t> check_id(Element& element) {
  const std::optional<dom::element> value = element.find("id");
  if (!value) {
    element.report(FindingKind::kMissingKey, "", "has no \"id\"", Remedy::kRenumbered);
    return std::nullopt;
  }
  const IntegerRead read = read_integer(*value);
  if (read.form == IntegerRead::Form::kText) {
    element.report(FindingKind::kNumberAsString, "id",
                   fmt::format("{} is a string: a number belongs there", shown_value(*value)),
                   Remedy::kWrittenAsNumber);
    element.repair().fields["id"] = std::to_string(read.value);
  } else if (read.form != IntegerRead::Form::kNumber) {
    element.report(FindingKind::kBadId, "id",
                   fmt::format("{} is not a 64-bit integer", shown_value(*value)),
                   Remedy::kRenumbered);
    return std::nullopt;
  }
  if (read.value == 0) element.report(FindingKind::kIdZero, "id", "is 0", Remedy::kRenumbered);
  return read.value;
}

// The row that stands for this one where several are merged.
int64_t merged_row(const std::vector<CatalogRow>& rows, uint32_t at) {
  return rows[at].merged_into < 0 ? int64_t{at} : rows[at].merged_into;
}

uint64_t content_hash(const Catalog& catalog, const AnnotationRow& row, const CheckedBox& box,
                      const StatedMask& mask) {
  Hash hash;
  hash.add(merged_row(catalog.images(), row.image));
  hash.add(merged_row(catalog.categories(), row.category));
  hash.add(box.box);
  for (const std::vector<double>& polygon : mask.polygons) hash.add_all(polygon);
  if (mask.rle) hash.add_all(mask.rle->counts);
  return hash.value() | 1;
}

}  // namespace

AnnotationRow check_annotation(Element& element, const Catalog& catalog) {
  AnnotationRow row;
  static const CatalogRow kUnknown;
  row.id = check_id(element);
  row.image =
      check_reference(element, "image_id", FindingKind::kUnknownImage, catalog.is_complete(),
                      [&](int64_t id) { return catalog.image_row(id); });
  row.category =
      check_reference(element, "category_id", FindingKind::kUnknownCategory, catalog.is_complete(),
                      [&](int64_t id) { return catalog.category_row(id); });
  const bool has_image = row.image != IdIndex::kNone;
  const bool has_category = row.category != IdIndex::kNone;
  const CatalogRow& image = has_image ? catalog.images()[row.image] : kUnknown;
  const bool crowd = check_crowd_flag(element);
  const StatedMask mask = read_segmentation(element, image.height, image.width);
  row.states_mask = mask.form != StatedMask::Form::kNone;
  const CheckedBox box = check_box_and_area(element, mask, image.height, image.width, crowd);
  const bool whole = has_image && has_category && box.usable &&
                     mask.form != StatedMask::Form::kUnusable && !element.repair().drop;
  if (whole) row.content = content_hash(catalog, row, box, mask);
  if (has_image) follow(element, "image_id", catalog.images(), row.image);
  if (has_category) {
    follow(element, "category_id", catalog.categories(), row.category);
  }
  row.dropped = element.repair().drop;
  return row;
}

}  // namespace mrcnn
