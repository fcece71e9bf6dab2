#include "tools/bench/op_bench.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "core/primitives.h"
#include "core/random.h"
#include "core/stream.h"
#include "kernels/detection/mask_rle.h"
#include "kernels/detection/nms.h"
#include "kernels/detection/roi_align.h"

namespace mrcnn {
namespace {

class Numbers {
 public:
  explicit Numbers(uint64_t seed) : stream_{.seed = seed, .purpose = RandomPurpose::kTest} {}
  float next(float low, float high) { return low + (high - low) * stream_.uniform(index_++); }

 private:
  RandomStream stream_;
  uint64_t index_ = 0;
};

Tensor random_map(const Shape& shape, uint64_t seed) {
  Tensor map = Tensor::empty(shape);
  Numbers numbers(seed);
  for (float& value : map.span<float>()) value = numbers.next(-1, 1);
  return map;
}

// Boxes with log-uniform sides inside a height x width image.
Tensor random_boxes(int64_t count, float height, float width, float min_side, uint64_t seed) {
  Tensor boxes = Tensor::empty({count, 4});
  Numbers numbers(seed);
  float* box = boxes.data<float>();
  for (int64_t i = 0; i < count; ++i, box += 4) {
    const float w = min_side * std::pow(width / min_side, numbers.next(0, 1));
    const float h = min_side * std::pow(height / min_side, numbers.next(0, 1));
    box[0] = numbers.next(0, width - w);
    box[1] = numbers.next(0, height - h);
    box[2] = box[0] + w;
    box[3] = box[1] + h;
  }
  return boxes;
}

// What every benchmark of an op needs.
struct Run {
  int warmup;
  int repeat;
  Device device;

  OpSample time(const std::string& name, const std::function<void()>& op) const {
    return {name, time_repeated(warmup, repeat, [&] {
              op();
              synchronize(device);
            })};
  }
};

OpSample bench_roi_align(const Run& run, DType dtype) {
  std::vector<Tensor> maps;
  RoiAlignParams params{.pooled_height = 7, .pooled_width = 7, .sampling_ratio = 2};
  for (int level = 0; level < 4; ++level) {
    const Tensor map =
        random_map({1, 200 >> level, 336 >> level, 256}, 10 + static_cast<uint64_t>(level));
    maps.push_back(copy_to(cast(map, dtype), run.device));
    params.scales.push_back(0.25F / static_cast<float>(1 << level));
  }
  const Tensor boxes = random_boxes(1000, 800, 1333, 16, 20);
  Tensor rois = Tensor::zeros({1000, 5});
  for (int64_t i = 0; i < 1000; ++i) {
    std::copy_n(boxes.data<const float>() + i * 4, 4, rois.data<float>() + i * 5 + 1);
  }
  rois = copy_to(rois, run.device);
  const std::string type = dtype == DType::kF32 ? "" : ", " + std::string(dtype_name(dtype));
  return run.time("roi_align 1000x7x7x256 over 4 levels" + type,
                  [&] { roi_align(maps, rois, params); });
}

OpSample bench_nms(const Run& run, const char* name, int64_t groups) {
  constexpr int64_t kBoxes = 4000;
  const Tensor boxes =
      copy_to(random_boxes(kBoxes, 800, 1333, 16, 30).reshape({1, kBoxes, 4}), run.device);
  const Tensor scores = copy_to(random_map({1, kBoxes}, 31), run.device);
  Tensor group = Tensor::empty({1, kBoxes}, DType::kI32);
  for (int64_t i = 0; i < kBoxes; ++i) group.data<int32_t>()[i] = static_cast<int32_t>(i % groups);
  group = copy_to(group, run.device);
  return run.time(name, [&] { nms(boxes, scores, group, Tensor{}, {.iou_threshold = 0.7}); });
}

OpSample bench_masks(const Run& run) {
  constexpr int64_t kObjects = 100;
  Tensor probs = Tensor::empty({kObjects, 28, 28});
  float* value = probs.data<float>();
  for (int64_t d = 0; d < kObjects; ++d) {
    for (int64_t y = 0; y < 28; ++y) {
      for (int64_t x = 0; x < 28; ++x) {  // a soft disc with a wavy border
        const double dy = static_cast<double>(y) - 13.5;
        const double dx = static_cast<double>(x) - 13.5;
        const double radius = 11 + 2 * std::sin(5 * std::atan2(dy, dx) + static_cast<double>(d));
        *value++ = static_cast<float>(1 / (1 + std::exp(std::hypot(dx, dy) - radius)));
      }
    }
  }
  const Tensor boxes = copy_to(random_boxes(kObjects, 3000, 4000, 100, 40), run.device);
  probs = copy_to(probs, run.device);
  return run.time("masks to RLE 100x28x28 at 3000x4000",
                  [&] { masks_to_rle(probs, boxes, 3000, 4000); });
}

}  // namespace

std::vector<OpSample> bench_ops(int warmup, int repeat, Device device) {
  const Run run{warmup, repeat, device};
  std::vector<OpSample> samples{bench_roi_align(run, DType::kF32)};
  if (device.is_cuda()) samples.push_back(bench_roi_align(run, DType::kBF16));
  samples.push_back(bench_nms(run, "nms 4000", 1));
  samples.push_back(bench_nms(run, "nms 4000 in 90 groups", 90));
  samples.push_back(bench_masks(run));
  return samples;
}

}  // namespace mrcnn
