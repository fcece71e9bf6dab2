// Made-up detections for tests of what comes after the model.
#pragma once

#include <vector>

#include "models/detection/instances.h"

namespace mrcnn::test {

// One object per label: boxes (i, 2i, i + 10, 2i + 5.5), scores 0.9, 0.8, ...
inline Instances fake_instances(int64_t height, int64_t width, const std::vector<int64_t>& labels) {
  const auto count = static_cast<int64_t>(labels.size());
  std::vector<float> boxes;
  std::vector<float> scores;
  for (int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<float>(i);
    boxes.insert(boxes.end(), {at, 2 * at, at + 10, 2 * at + 5.5F});
    scores.push_back(static_cast<float>(9 - i) / 10);
  }
  Instances instances;
  instances.height = height;
  instances.width = width;
  instances.boxes = Tensor::from(boxes, {count, 4});
  instances.labels = Tensor::from(labels, {count});
  instances.scores = Tensor::from(scores, {count});
  instances.mask_probs = Tensor::zeros({count, 2, 2});
  for (int64_t i = 0; i < 4 * count; ++i) {
    instances.mask_probs.data<float>()[i] = static_cast<float>(i);
  }
  return instances;
}

}  // namespace mrcnn::test
