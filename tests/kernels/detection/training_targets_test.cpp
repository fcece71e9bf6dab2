#include "kernels/detection/training_targets.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/error.h"
#include "core/primitives.h"
#include "kernels/detection/append_boxes.h"
#include "kernels/detection/box_coder.h"
#include "kernels/detection/match_boxes.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"

namespace mrcnn {
namespace {

Tensor ints(const std::vector<int32_t>& values, const Shape& shape) {
  return Tensor::from(values, shape);
}

std::vector<int32_t> int_values(const Tensor& tensor) {
  const auto span = tensor.span<const int32_t>();
  return {span.begin(), span.end()};
}

std::vector<float> float_values(const Tensor& tensor) {
  const auto span = tensor.span<const float>();
  return {span.begin(), span.end()};
}

Tensor random_boxes(const Shape& shape, uint64_t seed) {
  Tensor boxes = test::random_tensor(shape, seed, 1, 50);
  for (int64_t i = 0; i < boxes.numel() / 4; ++i) {
    float* box = boxes.data<float>() + 4 * i;
    box[2] += box[0];
    box[3] += box[1];
  }
  return boxes;
}

// Two images, four proposals, two objects, three samples each. Image 0 has two positives and one
// negative, image 1 one of each and an unused row.
struct Example {
  Tensor refs = random_boxes({2, 4, 4}, 1);
  Tensor gt_boxes = random_boxes({2, 2, 4}, 2);
  Tensor gt_labels = ints({7, 8, 9, 3}, {2, 2});
  Tensor matched = ints({1, kBackground, kIgnored, 0, kBackground, kIgnored, 1, 0}, {2, 4});
  SampledMatches samples{.indices = ints({0, 3, 1, 2, 0, -1}, {2, 3}),
                         .num_positive = ints({2, 1}, {2}),
                         .num_negative = ints({1, 1}, {2})};

  TrainingTargets targets(const TargetParams& params) const {
    return training_targets(refs, gt_boxes, gt_labels, matched, samples, params);
  }
};

TEST_CASE("Rejects inputs that do not fit") {
  const Example good;
  Example bad = good;
  bad.gt_labels = ints({1, 2}, {2});
  CHECK_THROWS_WITH_AS(bad.targets({}), doctest::Contains("gt_labels must be [N,G]"), ShapeError);
  bad = good;
  bad.gt_labels = ints({7, 0, 9, 3}, {2, 2});
  CHECK_THROWS_WITH_AS(bad.targets({}), doctest::Contains("object 1 of image 0 has label 0"),
                       ShapeError);
  bad = good;
  bad.matched = ints({1, 2}, {2, 1});
  CHECK_THROWS_WITH_AS(bad.targets({}), doctest::Contains("matched must be [N,T]"), ShapeError);
  bad = good;
  bad.matched = ints({2, -1, -1, -1, -1, -1, -1, -1}, {2, 4});
  CHECK_THROWS_WITH_AS(bad.targets({}), doctest::Contains("matched with object 2 of 2"),
                       ShapeError);
  bad = good;
  bad.samples.indices = ints({0, 3, 1, 2, 4, -1}, {2, 3});
  CHECK_THROWS_WITH_AS(bad.targets({}), doctest::Contains("sample 1 of image 1 is box 4"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(good.targets({.mask_elements = 0}),
                       doctest::Contains("mask_elements must be positive"), ShapeError);
  CHECK_THROWS_WITH_AS(positive_targets(good.targets({}), 4, 2),
                       doctest::Contains("6 rows are no images of 4 samples"), ShapeError);
  CHECK_THROWS_AS(positive_targets(good.targets({}), 3, 4), ShapeError);
}

TEST_CASE("Rows hold the sampled boxes, their classes and what they regress to") {
  const Example example;
  const TrainingTargets targets = example.targets({.weights = kBoxHeadWeights});
  CHECK(int_values(targets.labels) == std::vector<int32_t>{8, 7, 0, 3, 0, -1});
  CHECK(int_values(targets.matched_gt) == std::vector<int32_t>{1, 0, -1, 1, -1, -1});
  const std::vector<int64_t> refs{0, 3, 1, 6, 4};  // of both images
  const std::vector<int64_t> objects{1, 0, -1, 3, -1};
  for (size_t i = 0; i < refs.size(); ++i) {
    CAPTURE(i);
    const float* roi = targets.rois.data<const float>() + 5 * i;
    const Tensor box = example.refs.reshape({8, 4}).slice(refs[i], refs[i] + 1);
    CHECK(roi[0] == (i < 3 ? 0 : 1));
    CHECK(std::vector<float>(roi + 1, roi + 5) == float_values(box));
    const float* delta = targets.deltas.data<const float>() + 4 * i;
    std::vector<float> expected(4, 0.0F);
    if (objects[i] >= 0) {
      const Tensor object = example.gt_boxes.reshape({4, 4}).slice(objects[i], objects[i] + 1);
      expected = float_values(encode_boxes(object, box, kBoxHeadWeights));
    }
    CHECK(std::vector<float>(delta, delta + 4) == expected);
  }
  CHECK(targets.rois.data<const float>()[25] == -1);
}

TEST_CASE("Weights make sums means over the batch or over the images") {
  const Example example;
  const TrainingTargets batch = example.targets({.mask_elements = 784});
  const float fifth = 1.0F / 5;
  const float mask = 1.0F / (3 * 784);
  CHECK(float_values(batch.sample_weights) ==
        std::vector<float>{fifth, fifth, fifth, fifth, fifth, 0});
  CHECK(float_values(batch.box_weights) == std::vector<float>{fifth, fifth, 0, fifth, 0, 0});
  CHECK(float_values(batch.mask_weights) == std::vector<float>{mask, mask, 0, mask, 0, 0});
  const TrainingTargets image = example.targets({.normalisation = LossNormalisation::kImage});
  const float sixth = 1.0F / 6;
  const float quarter = 1.0F / 4;
  CHECK(float_values(image.sample_weights) ==
        std::vector<float>{sixth, sixth, sixth, quarter, quarter, 0});
  CHECK(float_values(image.box_weights) == std::vector<float>{sixth, sixth, 0, quarter, 0, 0});
  CHECK(float_values(image.mask_weights) == std::vector<float>{quarter, quarter, 0, 0.5F, 0, 0});
}

TEST_CASE("Anchors are shared by the images, and without labels every object is class 1") {
  Example example;
  example.refs = random_boxes({4, 4}, 3);
  example.gt_labels = Tensor{};
  const TrainingTargets targets = example.targets({});
  CHECK(int_values(targets.labels) == std::vector<int32_t>{1, 1, 0, 1, 0, -1});
  const float* roi = targets.rois.data<const float>() + 5 * 3;
  CHECK(roi[1] == example.refs.data<const float>()[8]);
}

TEST_CASE("Positives are brought together") {
  const Example example;
  const TrainingTargets targets = example.targets({});
  const PositiveTargets positives = positive_targets(targets, 3, 2);
  CHECK(int_values(positives.rows) == std::vector<int32_t>{0, 1, 3});
  CHECK(int_values(positives.labels) == std::vector<int32_t>{8, 7, 3});
  CHECK(int_values(positives.matched_gt) == std::vector<int32_t>{1, 0, 1});
  CHECK(float_values(positives.mask_weights) == std::vector<float>(3, 1.0F / 3));
  CHECK(float_values(positives.rois.slice(2, 3)) == float_values(targets.rois.slice(3, 4)));
}

TEST_CASE("Edges: no samples at all, no objects, no images") {
  Example example;
  example.matched = ints(std::vector<int32_t>(8, kIgnored), {2, 4});
  example.gt_boxes = Tensor::empty({2, 0, 4});
  example.gt_labels = Tensor::empty({2, 0}, DType::kI32);
  example.samples = {.indices = ints(std::vector<int32_t>(6, -1), {2, 3}),
                     .num_positive = ints({0, 0}, {2}),
                     .num_negative = ints({0, 0}, {2})};
  const TrainingTargets targets = example.targets({});
  CHECK(int_values(targets.labels) == std::vector<int32_t>(6, -1));
  CHECK(float_values(targets.sample_weights) == std::vector<float>(6, 0.0F));
  CHECK(float_values(targets.mask_weights) == std::vector<float>(6, 0.0F));
  CHECK(positive_targets(targets, 3, 2).rois.shape() == Shape{0, 5});
  CHECK(positive_targets(targets, 3, 0).rois.shape() == Shape{0, 5});
}

TEST_CASE("CUDA matches the CPU: targets of drawn samples, and positives in rows of fixed number") {
  test::on_cuda([](Device device) {
    const auto upload = [&](const Tensor& tensor) {
      return tensor.defined() ? copy_to(tensor, device) : tensor;
    };
    for (const bool shared : {false, true}) {
      CAPTURE(shared);
      const int64_t count = 150;
      const Tensor refs = shared ? random_boxes({count, 4}, 4) : random_boxes({3, count, 4}, 4);
      const Tensor gt_boxes = random_boxes({3, 6, 4}, 5);
      const Tensor gt_count = ints({6, 0, 2}, {3});
      const Tensor gt_labels =
          shared ? Tensor{} : ints({1, 2, 3, 4, 5, 6, 1, 1, 1, 1, 1, 1, 9, 8, 7, 6, 5, 4}, {3, 6});
      const Tensor matched = match_boxes(refs, {}, gt_boxes, gt_count, {});
      const SampledMatches samples = sample_matches(matched, {.num_samples = 50}, {});
      const TargetParams params{
          .weights = kBoxHeadWeights,
          .normalisation = shared ? LossNormalisation::kBatch : LossNormalisation::kImage,
          .mask_elements = 784};
      const TrainingTargets expected =
          training_targets(refs, gt_boxes, gt_labels, matched, samples, params);
      const SampledMatches on_device{.indices = upload(samples.indices),
                                     .num_positive = upload(samples.num_positive),
                                     .num_negative = upload(samples.num_negative)};
      const TrainingTargets targets = training_targets(
          upload(refs), upload(gt_boxes), upload(gt_labels), upload(matched), on_device, params);
      CHECK(test::count_different_bits(targets.rois, expected.rois) == 0);
      CHECK(test::count_different_bits(targets.labels, expected.labels) == 0);
      CHECK(test::count_far(targets.deltas, expected.deltas, 1e-6F, 1e-6F) == 0);
      CHECK(test::count_different_bits(targets.matched_gt, expected.matched_gt) == 0);
      CHECK(test::count_different_bits(targets.sample_weights, expected.sample_weights) == 0);
      CHECK(test::count_different_bits(targets.box_weights, expected.box_weights) == 0);
      CHECK(test::count_different_bits(targets.mask_weights, expected.mask_weights) == 0);

      const PositiveTargets packed = positive_targets(expected, 50, 25);
      const PositiveTargets fixed = positive_targets(targets, 50, 25);
      REQUIRE(fixed.rows.shape() == Shape{75});
      const std::vector<int32_t> rows = int_values(copy_to(fixed.rows, Device{}));
      const std::vector<int32_t> labels = int_values(copy_to(fixed.labels, Device{}));
      const std::vector<int32_t> objects = int_values(copy_to(fixed.matched_gt, Device{}));
      const std::vector<float> rois = float_values(copy_to(fixed.rois, Device{}));
      const std::vector<float> weights = float_values(copy_to(fixed.mask_weights, Device{}));
      size_t next = 0;
      for (size_t i = 0; i < rows.size(); ++i) {
        CAPTURE(i);
        if (rows[i] < 0) {
          CHECK(labels[i] == -1);
          CHECK(objects[i] == -1);
          CHECK(rois[5 * i] == -1);
          CHECK(weights[i] == 0);
          continue;
        }
        REQUIRE(next < static_cast<size_t>(packed.rows.numel()));
        CHECK(rows[i] == packed.rows.data<const int32_t>()[next]);
        CHECK(labels[i] == packed.labels.data<const int32_t>()[next]);
        CHECK(objects[i] == packed.matched_gt.data<const int32_t>()[next]);
        CHECK(rois[5 * i + 3] == packed.rois.data<const float>()[5 * next + 3]);
        CHECK(weights[i] == packed.mask_weights.data<const float>()[next]);
        ++next;
      }
      CHECK(next == static_cast<size_t>(packed.rows.numel()));
    }
  });
}

TEST_CASE("CUDA: from boxes to targets in one captured graph") {
  test::on_cuda([](Device device) {
    const Tensor proposals = random_boxes({2, 40, 4}, 6);
    const Tensor gt_boxes = random_boxes({2, 3, 4}, 7);
    const Tensor count = ints({40, 31}, {2});
    const Tensor gt_count = ints({3, 2}, {2});
    const Tensor gt_labels = ints({1, 2, 3, 4, 5, 6}, {2, 3});
    const auto targets_of = [&](const std::vector<Tensor>& in) {
      const BoxLists refs = append_boxes(in[0], in[1], in[2], in[3]);
      const Tensor matched =
          match_boxes(refs.boxes, refs.count, in[2], in[3],
                      {.fg_threshold = 0.4F, .bg_threshold = 0.4F, .low_quality = true});
      const SampledMatches samples = sample_matches(matched, {.num_samples = 16}, {});
      return training_targets(refs.boxes, in[2], in[4], matched, samples, {});
    };
    const std::vector<Tensor> inputs{proposals, count, gt_boxes, gt_count, gt_labels};
    std::vector<Tensor> on_device;
    for (const Tensor& input : inputs) on_device.push_back(copy_to(input, device));
    const TrainingTargets expected = targets_of(inputs);
    CHECK(test::count_different_bits(
              test::replayed(device, [&] { return targets_of(on_device).rois; }), expected.rois) ==
          0);
    const PositiveTargets positives = positive_targets(expected, 16, 8);
    CHECK(positives.rows.numel() >= 4);
    const Tensor labels = test::replayed(
        device, [&] { return positive_targets(targets_of(on_device), 16, 8).labels; });
    CHECK(labels.data<const int32_t>()[0] == positives.labels.data<const int32_t>()[0]);
  });
}

}  // namespace
}  // namespace mrcnn
