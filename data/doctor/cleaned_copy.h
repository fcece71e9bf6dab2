// A copy of an annotation file without its faults.
#pragma once

#include <cstdint>
#include <string>

#include "data/doctor/doctor.h"

namespace mrcnn {

struct CleanedCounts {
  int64_t images_kept = 0;
  int64_t images_dropped = 0;
  int64_t categories_kept = 0;
  int64_t categories_dropped = 0;
  int64_t annotations_kept = 0;
  int64_t annotations_changed = 0;  // of those kept
  int64_t annotations_dropped = 0;
  int64_t dropped_with_others = 0;  // of those dropped: their image or category was, or they repeat
};

// Writes a copy without what cannot be kept and with what is certain repaired, atomically. Elements
// with nothing wrong are copied byte by byte, other sections too. Throws FileError if the text is
// not whole or is changed meanwhile, UsageError if `out_path` is the file itself.
CleanedCounts write_cleaned(const std::string& annotations_path, const Diagnosis& diagnosis,
                            const std::string& out_path);

}  // namespace mrcnn
