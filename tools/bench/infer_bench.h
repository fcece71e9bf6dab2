// Latency of a whole model on one photo, stage by stage.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/stream.h"
#include "core/tensor.h"
#include "models/detection/instances.h"
#include "models/mask_rcnn/mask_rcnn.h"
#include "tools/bench/timing.h"

namespace mrcnn {

struct InferBenchOptions {
  int warmup = 2;
  int repeat = 10;
  int64_t batch = 1;  // the same photo this many times
  // On a GPU: wait after every stage, so that each has a time of its own; the total grows by it.
  bool time_stages = true;
};

struct InferBenchResult {
  std::vector<StageClock::Row> stages;  // "encode_masks" (to RLE) before "total"
  Instances detections;                 // of the first image
  // Most tensor memory alive during a repetition, without the packed weights; on a GPU all of its
  // memory, weights and graphs included.
  int64_t peak_tensor_bytes = 0;
  DeviceCounters per_repetition;  // on a GPU: what the host asked for, of the last one
  int64_t graph_nodes = 0;        // kernels, copies and fills in the graphs replayed
};

// image [H, W, 3] u8.
InferBenchResult bench_infer(const MaskRcnn& model, const Tensor& image,
                             const InferBenchOptions& options);

// Noise in [0, 255], the same for the same size: for timings without a photo.
Tensor noise_image(int64_t height, int64_t width);

}  // namespace mrcnn
