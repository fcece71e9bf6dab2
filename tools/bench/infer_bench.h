// Latency of a whole model on one photo, stage by stage.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "models/detection/instances.h"
#include "models/mask_rcnn/mask_rcnn.h"
#include "tools/bench/timing.h"

namespace mrcnn {

struct InferBenchOptions {
  int warmup = 2;
  int repeat = 10;
  int64_t batch = 1;  // the same photo this many times
};

struct InferBenchResult {
  std::vector<StageClock::Row> stages;  // "encode_masks" (to RLE) before "total"
  Instances detections;                 // of the first image
  int64_t peak_tensor_bytes = 0;        // most tensor memory alive during a repetition, packed
                                        // weights excluded
};

// image [H, W, 3] u8.
InferBenchResult bench_infer(const MaskRcnn& model, const Tensor& image,
                             const InferBenchOptions& options);

// Noise in [0, 255], the same for the same size: for timings without a photo.
Tensor noise_image(int64_t height, int64_t width);

}  // namespace mrcnn
