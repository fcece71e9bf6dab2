#include "kernels/detection/box_coder.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/golden.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::GoldenFile;
using test::random_tensor;

// Largest |a - b| / max(1, |b|).
double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double worst = 0;
  for (int64_t i = 0; i < a.numel(); ++i) {
    const double expected = b.data<const float>()[i];
    worst = std::max(worst, std::abs(double{a.data<const float>()[i]} - expected) /
                                std::max(1.0, std::abs(expected)));
  }
  return worst;
}

Tensor random_boxes(int64_t count, uint64_t seed) {
  Tensor boxes = random_tensor({count, 4}, seed, 2, 100);
  for (int64_t i = 0; i < count; ++i) {
    float* box = boxes.data<float>() + 4 * i;
    box[2] += box[0];
    box[3] += box[1];
  }
  return boxes;
}

TEST_CASE("Rejects inputs that do not fit") {
  const Tensor refs = random_boxes(3, 1);
  CHECK_THROWS_WITH_AS(decode_boxes(Tensor{}, refs), doctest::Contains("deltas must be [M,4*K]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(decode_boxes(random_tensor({3, 6}, 1), refs),
                       doctest::Contains("deltas must be [M,4*K]"), ShapeError);
  CHECK_THROWS_WITH_AS(encode_boxes(random_boxes(2, 1), refs),
                       doctest::Contains("boxes must be [M,4]"), ShapeError);
  CHECK_THROWS_WITH_AS(encode_boxes(refs, refs, {1, 1, 0, 1}),
                       doctest::Contains("weights must be positive"), ShapeError);
  CHECK_THROWS_AS(encode_boxes(random_tensor<double>({3, 4}, 1), refs), DTypeError);
  CHECK_THROWS_WITH_AS(clip_boxes(random_tensor({3, 5}, 1), 4, 4), doctest::Contains("[...,4]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(clip_boxes(refs, -1, 4), doctest::Contains("negative"), ShapeError);
}

TEST_CASE("Matches torchvision") {
  const GoldenFile file("torchvision_ops.safetensors");
  for (const std::string name : {"box_coder_1", "box_coder_10"}) {
    CAPTURE(name);
    const Tensor refs = file.golden(name + "/proposals");
    const BoxWeights weights = name == "box_coder_1" ? BoxWeights{} : kBoxHeadWeights;
    // 1e-6: exp and log differ from torch's in the last bit.
    CHECK(difference(encode_boxes(file.golden(name + "/gt"), refs, weights),
                     file.golden(name + "/encoded")) < 1e-6);
    CHECK(difference(decode_boxes(file.golden(name + "/rel_codes"), refs, weights),
                     file.golden(name + "/decoded")) < 1e-6);
  }
}

TEST_CASE("Matches the original system's examples") {
  const Tensor ref = Tensor::from(std::vector<float>{10, 20, 110, 70}, {1, 4});
  const Tensor gt = Tensor::from(std::vector<float>{20, 10, 140, 90}, {1, 4});
  const Tensor deltas = Tensor::from(std::vector<float>{2, 1, 0.911608F, 2.350018F}, {1, 4});
  CHECK(difference(encode_boxes(gt, ref, kBoxHeadWeights), deltas) < 1e-6);
  CHECK(difference(decode_boxes(deltas, ref, kBoxHeadWeights), gt) < 1e-6);
  // dw = 8 after the weight is clamped to log(1000 / 16).
  const Tensor large = Tensor::from(std::vector<float>{1, -2, 40, 0.5F}, {1, 4});
  const Tensor clamped =
      Tensor::from(std::vector<float>{-3055.000244F, 7.370726F, 3195.000244F, 62.629272F}, {1, 4});
  CHECK(difference(decode_boxes(large, ref, kBoxHeadWeights), clamped) < 1e-6);
}

TEST_CASE("Decoding undoes encoding, many boxes over threads") {
  const Tensor boxes = random_boxes(10007, 2);
  const Tensor refs = random_boxes(10007, 3);
  const Tensor deltas = encode_boxes(boxes, refs, kBoxHeadWeights);
  CHECK(difference(decode_boxes(deltas, refs, kBoxHeadWeights), boxes) < 2e-5);
}

TEST_CASE("CUDA matches the CPU: decoding and encoding within the rounding of exp and log") {
  test::on_cuda([](Device device) {
    for (const int64_t count : {1, 31, 33, 257}) {
      for (const int64_t classes : {1, 3}) {
        CAPTURE(count);
        const Tensor refs = random_boxes(count, 4);
        const Tensor deltas = random_tensor({count, 4 * classes}, 5, -9, 9);
        const Tensor boxes =
            decode_boxes(copy_to(deltas, device), copy_to(refs, device), kBoxHeadWeights);
        CHECK(boxes.device() == device);
        // 1e-3: corners are differences of numbers up to 1000 times larger.
        CHECK(test::count_far(boxes, decode_boxes(deltas, refs, kBoxHeadWeights), 1e-6F, 1e-3F) ==
              0);
      }
      const Tensor boxes = random_boxes(count, 6);
      const Tensor refs = random_boxes(count, 7);
      const Tensor deltas =
          encode_boxes(copy_to(boxes, device), copy_to(refs, device), kBoxHeadWeights);
      CHECK(test::count_far(deltas, encode_boxes(boxes, refs, kBoxHeadWeights), 1e-6F, 5e-6F) == 0);
    }
  });
}

TEST_CASE("CUDA matches the CPU bit by bit: centres, shifts and clipping have no exp") {
  test::on_cuda([](Device device) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Tensor refs = random_boxes(257, 8);
    Tensor deltas = random_tensor({257, 4}, 9, -2, 2);
    for (int64_t i = 0; i < 257; ++i) {
      deltas.data<float>()[4 * i + 2] = 0;  // exp(0) is 1 everywhere
      deltas.data<float>()[4 * i + 3] = 0;
    }
    const Tensor boxes = decode_boxes(copy_to(deltas, device), copy_to(refs, device));
    CHECK(test::count_different_bits(boxes, decode_boxes(deltas, refs)) == 0);
    Tensor wild = random_tensor({3, 11, 4}, 10, -100, 200);
    wild.data<float>()[5] = nan;
    CHECK(test::count_different_bits(clip_boxes(copy_to(wild, device), 99.5F, 120),
                                     clip_boxes(wild, 99.5F, 120)) == 0);
  });
}

TEST_CASE("CUDA: no boxes, no classes, boxes on two devices") {
  test::on_cuda([](Device device) {
    const Tensor none = Tensor::empty({0, 4}, DType::kF32, device);
    const Tensor refs = random_boxes(3, 1);
    CHECK(decode_boxes(none, none).shape() == Shape{0, 4});
    CHECK(encode_boxes(none, none).shape() == Shape{0, 4});
    CHECK(clip_boxes(none, 4, 4).shape() == Shape{0, 4});
    const Tensor no_classes = Tensor::empty({3, 0}, DType::kF32, device);
    CHECK(decode_boxes(no_classes, copy_to(refs, device)).shape() == Shape{3, 0});
    CHECK_THROWS_WITH_AS(decode_boxes(refs, copy_to(refs, device)),
                         doctest::Contains("different devices"), DeviceError);
    CHECK_THROWS_WITH_AS(encode_boxes(copy_to(refs, device), refs),
                         doctest::Contains("different devices"), DeviceError);
  });
}

TEST_CASE("Edges: no boxes, no classes, clipping, NaN") {
  CHECK(decode_boxes(Tensor::empty({0, 8}), Tensor::empty({0, 4})).shape() == Shape{0, 8});
  CHECK(decode_boxes(Tensor::empty({3, 0}), random_boxes(3, 1)).shape() == Shape{3, 0});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor boxes = Tensor::from(std::vector<float>{-5, -0.5F, 99, 99, nan, 3, 4, 5}, {2, 4});
  const Tensor clipped = clip_boxes(boxes, 30, 40);
  const std::vector<float> expected{0, 0, 40, 30, nan, 3, 4, 5};
  for (size_t i = 0; i < expected.size(); ++i) {
    const float value = clipped.data<const float>()[i];
    CHECK((value == expected[i] || (std::isnan(value) && std::isnan(expected[i]))));
  }
}

}  // namespace
}  // namespace mrcnn
