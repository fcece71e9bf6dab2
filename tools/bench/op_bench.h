// Timings of the detector's ops at the sizes the published comparisons use.
#pragma once

#include <vector>

#include "core/device.h"
#include "tools/bench/report.h"

namespace mrcnn {

// "roi_align 1000x7x7x256 over 4 levels": RoIs of all sizes on the maps of an 800x1344 input.
// "nms 4000": one group, IoU threshold 0.7, boxes as a region proposal network gives them.
// "nms 4000 in 90 groups": the same boxes as detections of 90 classes.
// "masks to RLE 100x28x28 at 3000x4000": 100 objects of mixed sizes.
// On a GPU the same tensors lie there, each repetition ends with a wait, and the maps of a second
// RoIAlign are bf16; the masks' run lengths come to the host, as they must in the end.
std::vector<OpSample> bench_ops(int warmup, int repeat, Device device = {});

}  // namespace mrcnn
