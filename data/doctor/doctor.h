// Every fault of a COCO data set at once. The strict reader (data/coco/coco_dataset.h) stops at the
// first one, or leaves elements out; this one reads on, whatever it finds.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "data/doctor/catalog.h"
#include "data/doctor/finding.h"

namespace mrcnn {

struct DoctorOptions {
  std::string image_directory = {};  // "": pictures are not looked at
};

struct DoctorReport {
  std::string path;
  int64_t num_images = 0;  // elements of the sections, good or bad
  int64_t num_annotations = 0;
  int64_t num_categories = 0;
  int64_t num_pictures = 0;       // looked at
  std::vector<Finding> findings;  // in the order of the file
  // Whether the text is whole, so that all of it was seen and a copy can be written.
  bool readable = true;

  int64_t count(Severity severity) const;
};

// What write_cleaned needs to know beyond the elements themselves.
struct DoctorPlan {
  Catalog catalog;
  bool has_masks = false;                           // else annotations without one are kept
  std::unordered_map<int64_t, int64_t> new_ids;     // of annotations, by their byte in the file
  std::unordered_set<int64_t> dropped;              // annotations that repeat others, by byte
  std::unordered_set<std::string> broken_sections;  // others that are not JSON
};

struct Diagnosis {
  DoctorReport report;
  DoctorPlan plan;
};

// Reads the file twice in pieces on all threads: first for images and categories, then for
// annotations. Throws FileError if it cannot be read at all; what is wrong with its content is in
// the report.
Diagnosis diagnose(const std::string& annotations_path, const DoctorOptions& options = {});

}  // namespace mrcnn
