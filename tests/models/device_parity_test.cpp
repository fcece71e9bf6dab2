// The models of the references at full size on a GPU, on photos, against the CPU: what `infer
// --device cuda` gives. Labelled slow: the emulated device takes two minutes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/rle.h"
#include "data/image/image.h"
#include "models/mask_rcnn/mask_rcnn.h"
#include "models/seeded_model.h"
#include "models/seeded_weights.h"
#include "models/zoo.h"
#include "tests/support/device.h"

namespace mrcnn {
namespace {

// Not maskrcnn_resnet18_fpn: with made-up weights it enlarges rounding so much that the CPU's own
// two convolution algorithms differ by 0.3 px on these photos. The others stay within 0.002 px.
const std::vector<std::string> kModels{"maskrcnn_resnet50_c5", "maskrcnn_resnet50_fpn",
                                       "maskrcnn_resnet50_fpn_v2"};
const std::vector<std::string> kPhotos{"000000184324", "000000116740"};

std::unique_ptr<MaskRcnn> seeded(const std::string& name, const Execution& execution) {
  auto model = std::make_unique<MaskRcnn>(model_config(name));
  load_seeded(model->root(), kGoldenSeed);
  model->prepare(execution);
  return model;
}

// Intersection over union of two masks of one size; 1 for two empty ones.
double mask_iou(const Rle& a, const Rle& b) {
  REQUIRE(a.height == b.height);
  REQUIRE(a.width == b.width);
  int64_t both = 0, either = 0;
  size_t i = 0, k = 0;
  int64_t left_a = 0, left_b = 0;
  // Runs alternate, background first.
  const int64_t total = a.height * a.width;
  for (int64_t position = 0; position < total;) {
    while (left_a == 0 && i < a.counts.size()) left_a = a.counts[i++];
    while (left_b == 0 && k < b.counts.size()) left_b = b.counts[k++];
    const int64_t step = std::min(left_a, left_b);
    const bool in_a = i % 2 == 0, in_b = k % 2 == 0;
    if (in_a && in_b) both += step;
    if (in_a || in_b) either += step;
    left_a -= step;
    left_b -= step;
    position += step;
  }
  return either == 0 ? 1.0 : static_cast<double>(both) / static_cast<double>(either);
}

void compare(const Instances& found, const Instances& expected, const MaskRcnnConfig& config) {
  REQUIRE(expected.size() >= 20);
  REQUIRE(found.size() == expected.size());
  const std::vector<Rle> masks = encode_masks(found, config);
  const std::vector<Rle> expected_masks = encode_masks(expected, config);
  double worst_box = 0, worst_score = 0, worst_iou = 1;
  for (int64_t i = 0; i < found.size(); ++i) {
    CHECK(found.labels.data<const int64_t>()[i] == expected.labels.data<const int64_t>()[i]);
    for (int64_t k = 4 * i; k < 4 * i + 4; ++k) {
      worst_box = std::max(worst_box, std::abs(double{found.boxes.data<const float>()[k]} -
                                               expected.boxes.data<const float>()[k]));
    }
    worst_score = std::max(worst_score, std::abs(double{found.scores.data<const float>()[i]} -
                                                 expected.scores.data<const float>()[i]));
    const auto index = static_cast<size_t>(i);
    worst_iou = std::min(worst_iou, mask_iou(masks[index], expected_masks[index]));
  }
  MESSAGE(found.size() << " detections, boxes within " << worst_box << " px, scores within "
                       << worst_score << ", masks' IoU at least " << worst_iou);
  CHECK(worst_box < 1e-2);
  CHECK(worst_score < 1e-4);
  CHECK(worst_iou >= 0.999);
}

}  // namespace

TEST_CASE("CUDA finds the CPU's detections in photos, for the models of the references") {
  test::on_cuda(
      [](Device device) {
        for (const std::string& name : kModels) {
          CAPTURE(name);
          const auto on_cpu = seeded(name, {});
          const auto on_gpu = seeded(name, {.device = device});
          for (const std::string& photo : kPhotos) {
            CAPTURE(photo);
            const Tensor image =
                load_image(std::string(MRCNN_TEST_DATA "/photos/") + photo + ".jpg").pixels;
            compare(on_gpu->detect({&image, 1})[0], on_cpu->detect({&image, 1})[0],
                    on_cpu->config());
          }
        }
      },
      1);
}

}  // namespace mrcnn
