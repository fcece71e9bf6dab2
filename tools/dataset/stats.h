// Counts over a data set, for a look before training.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace mrcnn {

struct ClassCounts {
  std::string name;
  int64_t objects = 0;  // crowds excepted
  int64_t images = 0;   // with at least one
  int64_t small = 0;    // objects below 32 x 32 pixels of area,
  int64_t medium = 0;   // below 96 x 96,
  int64_t large = 0;    // and all others: COCO's limits
};

struct HistogramBin {
  std::string name;  // "16-31"
  int64_t count = 0;
};

struct DatasetStats {
  std::string name;
  std::string fingerprint;
  int64_t images = 0;
  int64_t images_without_objects = 0;
  int64_t objects = 0;  // crowds excepted
  int64_t crowds = 0;
  int64_t difficult = 0;
  int64_t most_objects = 0;  // in an image
  int64_t min_height = 0;
  int64_t max_height = 0;
  int64_t min_width = 0;
  int64_t max_width = 0;
  std::vector<ClassCounts> classes;  // by label
  // Objects by the root of their area, pixels, and images by their objects; crowds excepted.
  std::vector<HistogramBin> sides;
  std::vector<HistogramBin> objects_in_image;
};

DatasetStats collect_stats(const Dataset& dataset);

// Some lines and a table with a row for each class and a last one for all.
std::string format_stats(const DatasetStats& stats);

// The same and the histograms as one JSON object. Written atomically.
void write_stats_json(const std::string& path, const DatasetStats& stats);

}  // namespace mrcnn
