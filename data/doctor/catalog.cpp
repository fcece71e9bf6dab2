#include "data/doctor/catalog.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <unordered_map>

#include "data/coco/element_checks.h"

namespace mrcnn {
namespace {

Finding finding_about(const CatalogRow& row, Section section, FindingKind kind,
                      const std::string& where, const std::string& problem, Remedy remedy) {
  return {.kind = kind,
          .section = section,
          .remedy = remedy,
          .element = row.element,
          .byte = row.byte,
          .id = std::to_string(row.id),
          .image_id = {},
          .where = where,
          .file_name = section == Section::kImages ? row.name : std::string(),
          .problem = problem};
}

// Rows with an id that an earlier one has are dropped, and the row with id 0 gets another.
IdIndex index_rows(std::vector<CatalogRow>& rows, Section section, FindingKind twice,
                   std::vector<Finding>& findings) {
  IdIndex index(rows.size());
  int64_t largest = 0;
  for (const CatalogRow& row : rows) largest = std::max(largest, row.id);
  for (size_t i = 0; i < rows.size(); ++i) {
    CatalogRow& row = rows[i];
    if (!index.insert(row.id, static_cast<uint32_t>(i))) {
      const CatalogRow& first = rows[index.find(row.id)];
      findings.push_back(finding_about(
          row, section, twice, "id",
          fmt::format("is the id of {}[{}] too", section_name(section), first.element),
          Remedy::kDropped));
      row.dropped = true;
    } else if (row.id == 0) {
      const bool can_grow = largest < INT64_MAX;
      findings.push_back(finding_about(row, section, FindingKind::kIdZero, "id", "is 0",
                                       can_grow ? Remedy::kRenumbered : Remedy::kLeft));
      if (can_grow) row.kept_id = largest + 1;
    }
  }
  return index;
}

// Rows that share a name become one, where that loses nothing.
void merge_names(std::vector<CatalogRow>& rows, Section section, FindingKind kind,
                 const std::string& where, std::vector<Finding>& findings) {
  std::unordered_map<std::string_view, size_t> first_of;
  for (size_t i = 0; i < rows.size(); ++i) {
    CatalogRow& row = rows[i];
    if (row.dropped || row.name.empty()) continue;
    const auto [place, is_new] = first_of.try_emplace(row.name, i);
    if (is_new) continue;
    const CatalogRow& first = rows[place->second];
    const bool same = row.height == first.height && row.width == first.width;
    findings.push_back(finding_about(row, section, kind, where,
                                     fmt::format("\"{}\" is that of {}[{}] (id {}) too", row.name,
                                                 section_name(section), first.element, first.id),
                                     same ? Remedy::kMerged : Remedy::kLeft));
    if (!same) continue;
    row.merged_into = static_cast<int64_t>(place->second);
    row.dropped = true;
  }
}

}  // namespace

void Catalog::add_image(Element& element, int64_t index, int64_t byte) {
  CatalogRow row{.element = index, .byte = byte, .name = {}};
  const std::optional<int64_t> id = element.require_integer("id", FindingKind::kBadId);
  if (const auto name = element.require_text("file_name")) {
    try {
      check_file_name(*name);
      row.name = *name;
    } catch (const Refusal& refusal) {
      element.report(FindingKind::kBadFileName, refusal.where, refusal.problem, Remedy::kDropped);
    }
  }
  const auto height = element.require_integer("height", FindingKind::kBadImageSize);
  const auto width = element.require_integer("width", FindingKind::kBadImageSize);
  if (height && width) {
    try {
      check_image_size(*height, *width);
      row.height = *height;
      row.width = *width;
    } catch (const Refusal& refusal) {
      element.report(FindingKind::kBadImageSize, refusal.where, refusal.problem, Remedy::kDropped);
    }
  }
  if (!id) return;
  row.id = row.kept_id = *id;
  row.dropped = element.repair().drop;
  images_.push_back(std::move(row));
}

void Catalog::add_category(Element& element, int64_t index, int64_t byte) {
  CatalogRow row{.element = index, .byte = byte, .name = {}};
  const std::optional<int64_t> id = element.require_integer("id", FindingKind::kBadId);
  if (const auto name = element.require_text("name")) {
    if (name->empty()) {
      element.report(FindingKind::kEmptyName, "name", "is empty", Remedy::kLeft);
    }
    row.name = *name;
  }
  if (!id) return;
  row.id = row.kept_id = *id;
  row.dropped = element.repair().drop;
  categories_.push_back(std::move(row));
}

void Catalog::finish(std::vector<Finding>& findings) {
  image_index_ = index_rows(images_, Section::kImages, FindingKind::kDuplicateImageId, findings);
  category_index_ =
      index_rows(categories_, Section::kCategories, FindingKind::kDuplicateCategoryId, findings);
  merge_names(images_, Section::kImages, FindingKind::kDuplicateFileName, "file_name", findings);
  merge_names(categories_, Section::kCategories, FindingKind::kDuplicateName, "name", findings);
}

}  // namespace mrcnn
