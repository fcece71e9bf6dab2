#include "data/doctor/annotation_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mrcnn {

void AnnotationTable::add(CheckedPiece&& piece, std::vector<Finding>& findings) {
  for (Finding& one : piece.findings) {
    one.element += size();
    findings.push_back(std::move(one));
  }
  rows_.insert(rows_.end(), piece.rows.begin(), piece.rows.end());
}

void AnnotationTable::finish(DoctorPlan& plan, std::vector<Finding>& findings) {
  Catalog& catalog = plan.catalog;
  for (const AnnotationRow& row : rows_) {
    if (row.image != IdIndex::kNone) ++catalog.images()[row.image].num_annotations;
    if (row.category != IdIndex::kNone) ++catalog.categories()[row.category].num_annotations;
  }
  check_ids(plan, findings);
  check_content(plan, findings);
  check_masks(plan, findings);
}

Finding AnnotationTable::finding(size_t element, FindingKind kind, const char* where,
                                 const std::string& problem, Remedy remedy,
                                 const DoctorPlan& plan) const {
  const AnnotationRow& row = rows_[element];
  Finding one = finding_at(Section::kAnnotations, static_cast<int64_t>(element), row.byte, kind,
                           problem, row.dropped ? Remedy::kDropped : remedy);
  one.where = where;
  if (row.id) one.id = std::to_string(*row.id);
  if (row.image != IdIndex::kNone) {
    one.image_id = std::to_string(plan.catalog.images()[row.image].id);
  }
  return one;
}

void AnnotationTable::check_ids(DoctorPlan& plan, std::vector<Finding>& findings) const {
  IdIndex index(rows_.size());
  int64_t largest = 0;
  std::vector<size_t> wanting;
  for (size_t i = 0; i < rows_.size(); ++i) {
    const std::optional<int64_t>& id = rows_[i].id;
    if (id) largest = std::max(largest, *id);
    if (id && !index.insert(*id, static_cast<uint32_t>(i))) {
      findings.push_back(finding(i, FindingKind::kDuplicateAnnotationId, "id",
                                 fmt::format("is the id of annotations[{}] too", index.find(*id)),
                                 Remedy::kRenumbered, plan));
      wanting.push_back(i);
    } else if (rows_[i].is_object && (!id || *id == 0)) {
      wanting.push_back(i);
    }
  }
  // Behind the largest, or from 1 on where no numbers are left there.
  int64_t next = largest < INT64_MAX / 2 ? largest + 1 : 1;
  for (const size_t i : wanting) {
    while (index.find(next) != IdIndex::kNone) ++next;
    plan.new_ids[rows_[i].byte] = next++;
  }
}

void AnnotationTable::check_content(DoctorPlan& plan, std::vector<Finding>& findings) const {
  IdIndex index(rows_.size());
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].content == 0) continue;
    const auto hash = static_cast<int64_t>(rows_[i].content);
    if (index.insert(hash, static_cast<uint32_t>(i))) continue;
    findings.push_back(finding(
        i, FindingKind::kDuplicateObject, "",
        fmt::format("has the image, category, box and mask of annotations[{}]", index.find(hash)),
        Remedy::kDropped, plan));
    plan.dropped.insert(rows_[i].byte);
  }
}

void AnnotationTable::check_masks(DoctorPlan& plan, std::vector<Finding>& findings) const {
  plan.has_masks = std::any_of(rows_.begin(), rows_.end(),
                               [](const AnnotationRow& row) { return row.states_mask; });
  if (!plan.has_masks) {
    if (rows_.empty()) return;
    findings.push_back(finding_at(Section::kAnnotations, -1, -1, FindingKind::kNoMasks,
                                  "no annotation has a mask: this is a set of boxes",
                                  Remedy::kLeft));
    return;
  }
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].states_mask || !rows_[i].is_object) continue;
    findings.push_back(finding(i, FindingKind::kSegmentationEmpty, "segmentation",
                               "is missing or empty, where other annotations have a mask",
                               Remedy::kDropped, plan));
  }
}

}  // namespace mrcnn
