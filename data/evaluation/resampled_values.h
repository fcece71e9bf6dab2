// COCO's numbers of images that are drawn with replacement.
#pragma once

#include <cstdint>
#include <vector>

#include "data/evaluation/coco_curves.h"
#include "data/evaluation/match_table.h"

namespace mrcnn {

struct ResampledValues {
  std::vector<CocoValues> values;             // of each resample
  std::vector<std::vector<double>> class_ap;  // [class][resample]
};

// Resample n draws as many images as there are, the same ones for every table of as many images.
// An image drawn twice stands next to itself among detections of equal score. The numbers are those
// of CocoCurves up to rounding.
ResampledValues resampled_values(const MatchTable& matches, int64_t resamples, uint64_t seed);

}  // namespace mrcnn
