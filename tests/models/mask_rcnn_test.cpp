#include "models/mask_rcnn/mask_rcnn.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "models/seeded_model.h"
#include "models/seeded_weights.h"
#include "models/zoo.h"
#include "tests/support/test_image.h"

using namespace mrcnn;
using mrcnn::test::test_image;

namespace {

std::unique_ptr<MaskRcnn> seeded(const MaskRcnnConfig& config) {
  auto model = std::make_unique<MaskRcnn>(config);
  load_seeded(model->root(), kGoldenSeed);
  model->prepare();
  return model;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

bool same_instances(const Instances& a, const Instances& b) {
  return a.height == b.height && a.width == b.width && same_bits(a.boxes, b.boxes) &&
         same_bits(a.labels, b.labels) && same_bits(a.scores, b.scores) &&
         same_bits(a.mask_probs, b.mask_probs);
}

}  // namespace

TEST_CASE("Rejects use before loading and images of the wrong kind") {
  MaskRcnn empty(model_config("maskrcnn_resnet18_fpn", 5));
  CHECK_THROWS_WITH_AS(empty.prepare(), doctest::Contains("backbone.body.conv1.weight"),
                       ShapeError);
  const Tensor image = test_image(40, 50, 1);
  CHECK_THROWS_WITH_AS(empty.detect(std::span(&image, 1)), doctest::Contains("prepare"),
                       ShapeError);
  const auto model = seeded(model_config("maskrcnn_resnet18_fpn", 5));
  const Tensor gray = Tensor::zeros({40, 50, 1}, DType::kU8);
  CHECK_THROWS_WITH_AS(model->detect(std::span(&gray, 1)), doctest::Contains("[40,50,1]"),
                       ShapeError);
  const Tensor floats = Tensor::zeros({40, 50, 3});
  CHECK_THROWS_AS(model->detect(std::span(&floats, 1)), Error);
}

TEST_CASE("A batch of images of different sizes equals the images one by one, bit for bit") {
  const auto model = seeded(model_config("maskrcnn_resnet18_fpn", 91));
  const std::vector<Tensor> images{test_image(240, 320, 1), test_image(300, 200, 2),
                                   test_image(240, 320, 3), test_image(97, 411, 4)};
  const std::vector<Instances> together = model->detect(images);
  REQUIRE(together.size() == images.size());
  int64_t objects = 0;
  for (size_t i = 0; i < images.size(); ++i) {
    const std::vector<Instances> alone = model->detect(std::span(&images[i], 1));
    CHECK(same_instances(together[i], alone[0]));
    objects += alone[0].size();
  }
  CHECK(objects > 0);
}

TEST_CASE("The same image twice gives the same bits") {
  const auto model = seeded(model_config("maskrcnn_resnet18_fpn", 91));
  const Tensor image = test_image(240, 320, 5);
  CHECK(same_instances(model->detect(std::span(&image, 1))[0],
                       model->detect(std::span(&image, 1))[0]));
}

TEST_CASE("Detections respect the threshold, the limit and the image") {
  MaskRcnnConfig config = model_config("maskrcnn_resnet18_fpn", 91);
  config.inference.max_detections = 7;
  config.inference.score_threshold = 0.02F;
  const auto model = seeded(config);
  const Tensor image = test_image(200, 260, 6);
  const Instances found = model->detect(std::span(&image, 1))[0];
  CHECK(found.size() <= 7);
  CHECK(found.size() > 0);
  CHECK(found.mask_probs.shape() == Shape{found.size(), 28, 28});
  const auto scores = found.scores.span<const float>();
  CHECK(std::is_sorted(scores.rbegin(), scores.rend()));
  for (int64_t i = 0; i < found.size(); ++i) {
    const float* box = found.boxes.data<const float>() + i * 4;
    CHECK(box[0] >= 0);
    CHECK(box[1] >= 0);
    CHECK(box[2] <= 260.01F);
    CHECK(box[3] <= 200.01F);
    CHECK(found.labels.data<const int64_t>()[i] >= 1);
  }
}

TEST_CASE("No image gives no result, a threshold nobody passes an empty one") {
  MaskRcnnConfig config = model_config("maskrcnn_resnet18_fpn", 3);
  config.inference.score_threshold = 1.0F;
  const auto model = seeded(config);
  CHECK(model->detect({}).empty());
  const Tensor image = test_image(64, 64, 7);
  const Instances found = model->detect(std::span(&image, 1))[0];
  CHECK(found.size() == 0);
  CHECK(found.boxes.shape() == Shape{0, 4});
  CHECK(found.mask_probs.shape() == Shape{0, 28, 28});
  CHECK(encode_masks(found, config).empty());
}

TEST_CASE("Extreme proportions and a single pixel pass through") {
  const auto model = seeded(model_config("maskrcnn_resnet18_fpn", 91));
  for (const auto& [height, width] : {std::pair{1, 1}, std::pair{3, 400}, std::pair{400, 2}}) {
    const Tensor image = test_image(height, width, 8);
    const Instances found = model->detect(std::span(&image, 1))[0];
    CHECK(found.height == height);
    CHECK(encode_masks(found, model->config()).size() == static_cast<size_t>(found.size()));
  }
}
