// The annotations of a whole file, checked against each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/doctor/annotation_check.h"
#include "data/doctor/doctor.h"

namespace mrcnn {

// What was found in one piece of the file.
struct CheckedPiece {
  std::vector<Finding> findings;    // elements count from the beginning of the piece
  std::vector<AnnotationRow> rows;  // as many as elements
};

class AnnotationTable {
 public:
  void add(CheckedPiece&& piece, std::vector<Finding>& findings);
  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  // Call it when all are added. Counts into the plan's catalog.
  void finish(DoctorPlan& plan, std::vector<Finding>& findings);

 private:
  void check_ids(DoctorPlan& plan, std::vector<Finding>& findings) const;
  void check_content(DoctorPlan& plan, std::vector<Finding>& findings) const;
  void check_masks(DoctorPlan& plan, std::vector<Finding>& findings) const;
  Finding finding(size_t element, FindingKind kind, const char* where, const std::string& problem,
                  Remedy remedy, const DoctorPlan& plan) const;

  std::vector<AnnotationRow> rows_;
};

}  // namespace mrcnn
