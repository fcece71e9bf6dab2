// Mask R-CNN on a GPU, against the CPU and against itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/primitives.h"
#include "core/stream.h"
#include "models/mask_rcnn/mask_rcnn.h"
#include "models/mask_rcnn/precision.h"
#include "models/seeded_model.h"
#include "models/seeded_weights.h"
#include "models/zoo.h"
#include "tests/support/device.h"
#include "tests/support/test_image.h"

namespace mrcnn {
namespace {

using test::test_image;

// Orders of threads on the emulated device: the kernels have their own tests with more.
constexpr int kSchedules = 1;

MaskRcnnConfig small_config(const char* name = "maskrcnn_resnet18_fpn") {
  MaskRcnnConfig config = model_config(name, 91);
  config.input.resize.min_size = 96;
  config.input.resize.max_size = 160;
  config.rpn.pre_nms_top_n = 60;
  config.rpn.post_nms_top_n = 50;
  config.inference.max_detections = 20;
  return config;
}

std::unique_ptr<MaskRcnn> seeded(const MaskRcnnConfig& config, const Execution& execution = {}) {
  auto model = std::make_unique<MaskRcnn>(config);
  load_seeded(model->root(), kGoldenSeed);
  model->prepare(execution);
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

double worst(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double difference = 0;
  for (int64_t i = 0; i < a.numel(); ++i) {
    difference =
        std::max(difference, std::abs(double{a.data<const float>()[i]} - b.data<const float>()[i]));
  }
  return difference;
}

// Made-up weights enlarge rounding errors, so the CPU's Winograd convolutions stand aside where the
// two devices are compared.
class DirectConvolutions {
 public:
  DirectConvolutions() { set_strict_convolution(true); }
  ~DirectConvolutions() { set_strict_convolution(false); }
};

TEST_CASE("CUDA computes the CPU's maps") {
  const DirectConvolutions direct;
  test::on_cuda(
      [](Device device) {
        const Tensor image = test_image(140, 60, 2);
        const auto features = [&](const Execution& execution) {
          const auto model = seeded(small_config(), execution);
          return model->features(model->preprocess({&image, 1}).pixels);
        };
        const Features expected = features({}), found = features({.device = device});
        for (size_t i = 0; i < expected.maps.size(); ++i) {
          CAPTURE(i);
          double largest = 0;
          for (const float value : expected.maps[i].span<const float>()) {
            largest = std::max(largest, std::abs(double{value}));
          }
          CHECK(worst(copy_to(found.maps[i], Device{}), expected.maps[i]) < 2e-5 * largest);
        }
      },
      kSchedules);
}

TEST_CASE("CUDA finds what the CPU finds") {
  const DirectConvolutions direct;
  test::on_cuda(
      [](Device device) {
        const MaskRcnnConfig config = small_config("maskrcnn_resnet50_fpn");
        const auto on_cpu = seeded(config);
        const auto on_gpu = seeded(config, {.device = device});
        const std::vector<Tensor> images{test_image(96, 120, 1), test_image(140, 60, 2)};
        const std::vector<Instances> expected = on_cpu->detect(images);
        const std::vector<Instances> found = on_gpu->detect(images);
        for (size_t i = 0; i < images.size(); ++i) {
          REQUIRE(expected[i].size() > 0);
          REQUIRE(same_bits(found[i].labels, expected[i].labels));
          CHECK(worst(found[i].boxes, expected[i].boxes) < 1e-2);
          CHECK(worst(found[i].scores, expected[i].scores) < 1e-4);
          CHECK(worst(found[i].mask_probs, expected[i].mask_probs) < 1e-3);
        }
      },
      kSchedules);
}

TEST_CASE("CUDA: replayed graphs give the bits of single launches, for images of any content") {
  test::on_cuda(
      [](Device device) {
        const auto model = seeded(small_config(), {.device = device});
        const std::vector<Tensor> images{test_image(96, 120, 1), test_image(96, 119, 2),
                                         test_image(96, 120, 3)};
        model->set_graphs(false);
        std::vector<Instances> expected;
        for (const Tensor& image : images) expected.push_back(model->detect({&image, 1})[0]);
        model->set_graphs(true);
        for (int round = 0; round < 2; ++round) {
          for (size_t i = 0; i < images.size(); ++i) {
            const DeviceCounters before = device_counters();
            const Instances found = model->detect({&images[i], 1})[0];
            const DeviceCounters after = device_counters();
            CHECK(same_instances(found, expected[i]));
            if (round == 1) {
              CHECK(after.graph_launches - before.graph_launches == 3);
              CHECK(after.syncs - before.syncs == 1);
              CHECK(after.launches - before.launches == 1);  // resize, normalise, pad
            }
          }
        }
        CHECK(model->graph_stats().nodes > 50);
        CHECK(model->graph_stats().memory_bytes > 0);
      },
      kSchedules);
}

TEST_CASE("CUDA: a batch equals its images one by one") {
  test::on_cuda(
      [](Device device) {
        const auto model = seeded(small_config(), {.device = device});
        const std::vector<Tensor> images{test_image(96, 120, 1), test_image(120, 96, 2),
                                         test_image(96, 120, 3)};
        const std::vector<Instances> together = model->detect(images);
        for (size_t i = 0; i < images.size(); ++i) {
          const Instances alone = model->detect({&images[i], 1})[0];
          REQUIRE(same_bits(together[i].labels, alone.labels));
          CHECK(worst(together[i].boxes, alone.boxes) < 1e-2);
          CHECK(worst(together[i].scores, alone.scores) < 1e-4);
        }
      },
      kSchedules);
}

TEST_CASE("CUDA: two models in two threads do not disturb each other") {
  test::on_cuda(
      [](Device device) {
        const std::vector<Tensor> images{test_image(96, 120, 1), test_image(96, 119, 2)};
        const auto a = seeded(small_config(), {.device = device});
        const auto b = seeded(small_config(), {.device = device, .precision = Precision::kBf16});
        const auto all = [&](const MaskRcnn& model) {
          std::vector<Instances> found;
          for (int round = 0; round < 3; ++round) {  // single launches, recording, replay
            for (const Tensor& image : images) found.push_back(model.detect({&image, 1})[0]);
          }
          return found;
        };
        const std::vector<Instances> expected_a = all(*a), expected_b = all(*b);
        const auto fresh_a = seeded(small_config(), {.device = device});
        const auto fresh_b =
            seeded(small_config(), {.device = device, .precision = Precision::kBf16});
        std::vector<Instances> found_b;
        std::thread other([&] { found_b = all(*fresh_b); });
        const std::vector<Instances> found_a = all(*fresh_a);
        other.join();
        for (size_t i = 0; i < found_a.size(); ++i) {
          CHECK(same_instances(found_a[i], expected_a[i]));
          CHECK(same_instances(found_b[i], expected_b[i]));
        }
      },
      kSchedules);
}

TEST_CASE("CUDA: the stages' tensors have the types of the precision table") {
  test::on_cuda(
      [](Device device) {
        for (const Precision precision : {Precision::kFp32, Precision::kTf32, Precision::kBf16}) {
          CAPTURE(std::string(precision_name(precision)));
          const DType type = precision == Precision::kBf16 ? DType::kBF16 : DType::kF32;
          const auto model = seeded(small_config(), {.device = device, .precision = precision});
          const Tensor image = test_image(96, 120, 1);
          const ImageBatch batch = model->preprocess({&image, 1});
          CHECK(batch.pixels.dtype() == type);
          const Features features = model->features(batch.pixels);
          for (const Tensor& map : features.maps) CHECK(map.dtype() == type);
          for (const Tensor& map : features.rpn.merged) CHECK(map.dtype() == type);
          const Proposals proposals = model->propose(features, batch);
          CHECK(proposals.boxes.dtype() == DType::kF32);
          CHECK(proposals.scores.dtype() == DType::kF32);
          const Instances found = model->heads(features, proposals, batch)[0];
          CHECK(found.boxes.dtype() == DType::kF32);
          CHECK(found.mask_probs.dtype() == DType::kF32);
          for (const PrecisionRow& row : precision_table(precision)) {
            if (row.part == "RoIAlign") CHECK(row.result == dtype_name(type));
          }
        }
      },
      kSchedules);
}

TEST_CASE("CUDA: bf16 stays near fp32") {
  test::on_cuda(
      [](Device device) {
        const auto fp32 = seeded(small_config(), {.device = device});
        const auto bf16 = seeded(small_config(), {.device = device, .precision = Precision::kBf16});
        const Tensor image = test_image(96, 120, 1);
        const auto maps = [&](const MaskRcnn& model) {
          return model.features(model.preprocess({&image, 1}).pixels).maps;
        };
        const std::vector<Tensor> exact = maps(*fp32), rounded = maps(*bf16);
        for (size_t i = 0; i < exact.size(); ++i) {
          const Tensor a = copy_to(exact[i], Device{});
          const Tensor b = cast(copy_to(rounded[i], Device{}), DType::kF32);
          double largest = 0;
          for (const float value : a.span<const float>()) {
            largest = std::max(largest, std::abs(double{value}));
          }
          // Twenty layers, each rounded to 8 bits: errors of some 2^-9 * sqrt(20).
          CHECK(worst(a, b) < 0.05 * largest);
        }
      },
      kSchedules);
}

TEST_CASE("CUDA: nothing above the threshold, a single pixel, the faults of --compat") {
  test::on_cuda(
      [](Device device) {
        MaskRcnnConfig config = small_config();
        config.inference.score_threshold = 1.0F;
        const Tensor image = test_image(64, 64, 7), pixel = test_image(1, 1, 8);
        const Instances none = seeded(config, {.device = device})->detect({&image, 1})[0];
        CHECK(none.boxes.shape() == Shape{0, 4});
        CHECK(none.mask_probs.shape() == Shape{0, 28, 28});
        const auto model = seeded(small_config(), {.device = device});
        CHECK(model->detect({}).empty());
        CHECK(model->detect({&pixel, 1})[0].height == 1);
        config.inference.compat = true;
        CHECK_THROWS_WITH_AS(seeded(config, {.device = device}),
                             doctest::Contains("on the CPU only"), UsageError);
      },
      kSchedules);
}

TEST_CASE("The CPU computes in fp32 only") {
  CHECK_THROWS_WITH_AS(seeded(small_config(), {.precision = Precision::kBf16}),
                       doctest::Contains("bf16 needs a GPU"), UsageError);
}

}  // namespace
}  // namespace mrcnn
