#include "kernels/detection/rpn_proposals.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/device_memory.h"
#include "core/error.h"
#include "core/graph.h"
#include "kernels/detection/anchors.h"
#include "kernels/detection/box_coder.h"
#include "kernels/detection/image_sizes.h"
#include "kernels/detection/nms.h"
#include "kernels/detection/topk.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

// Three levels of two images.
std::vector<RpnLevel> random_levels(int64_t height = 96, int64_t width = 128) {
  const std::vector<double> ratios{0.5, 1, 2};
  std::vector<RpnLevel> levels;
  for (int64_t i = 0; i < 3; ++i) {
    const int64_t stride = 8 << i;
    const std::vector<double> sizes{static_cast<double>(3 * stride)};
    const Shape logits{2, height / stride, width / stride, 3};
    const Shape deltas{2, height / stride, width / stride, 12};
    levels.push_back({.logits = random_tensor(logits, static_cast<uint64_t>(10 + i), -3, 3),
                      .deltas = random_tensor(deltas, static_cast<uint64_t>(20 + i), -0.6, 0.6),
                      .base_anchors = base_anchors(sizes, ratios, true),
                      .stride_height = stride,
                      .stride_width = stride});
  }
  return levels;
}

struct Boxes {
  std::vector<float> boxes;
  std::vector<float> scores;
};

// The definition from the single ops, one image.
Boxes plain_proposals(const std::vector<RpnLevel>& levels, int64_t image, ImageSize size,
                      const RpnProposalParams& params) {
  Boxes all;
  std::vector<int32_t> groups;
  for (size_t l = 0; l < levels.size(); ++l) {
    const RpnLevel& level = levels[l];
    const Tensor anchors =
        grid_anchors(level.base_anchors, level.logits.size(1), level.logits.size(2),
                     level.stride_height, level.stride_width);
    const int64_t count = anchors.size(0);
    const Tensor boxes =
        clip_boxes(decode_boxes(level.deltas.slice(image, image + 1).reshape({count, 4}), anchors),
                   static_cast<float>(size.height), static_cast<float>(size.width));
    const TopK best =
        topk(level.logits.slice(image, image + 1).reshape({1, count}), params.pre_nms_top_n);
    for (int64_t i = 0; i < best.indices.numel(); ++i) {
      const float* box = boxes.data<const float>() + 4 * best.indices.data<const int32_t>()[i];
      if (!(box[2] - box[0] >= params.min_size && box[3] - box[1] >= params.min_size)) continue;
      const float logit = best.values.data<const float>()[i];
      all.boxes.insert(all.boxes.end(), box, box + 4);
      all.scores.push_back(params.score == ProposalScore::kLogit ? logit
                                                                 : 1 / (1 + std::exp(-logit)));
      groups.push_back(static_cast<int32_t>(l));
    }
  }
  const auto total = static_cast<int64_t>(groups.size());
  const NmsResult keep =
      nms(Tensor::from(all.boxes, {1, total, 4}), Tensor::from(all.scores, {1, total}),
          Tensor::from(groups, {1, total}), {},
          {.iou_threshold = params.nms_threshold, .max_keep = params.post_nms_top_n});
  Boxes kept;
  for (int32_t i = 0; i < keep.count.data<const int32_t>()[0]; ++i) {
    const auto index = static_cast<size_t>(keep.keep.data<const int32_t>()[i]);
    kept.scores.push_back(all.scores[index]);
    for (size_t j = 4 * index; j < 4 * index + 4; ++j) kept.boxes.push_back(all.boxes[j]);
  }
  return kept;
}

void check_image(const Proposals& proposals, int64_t image, const Boxes& expected) {
  const auto count = static_cast<size_t>(proposals.count.data<const int32_t>()[image]);
  REQUIRE(count == expected.scores.size());
  const int64_t capacity = proposals.scores.size(1);
  const float* boxes = proposals.boxes.data<const float>() + image * capacity * 4;
  const float* scores = proposals.scores.data<const float>() + image * capacity;
  CHECK(std::equal(expected.boxes.begin(), expected.boxes.end(), boxes));
  CHECK(std::equal(expected.scores.begin(), expected.scores.end(), scores));
  CHECK(std::all_of(boxes + 4 * count, boxes + 4 * capacity, [](float v) { return v == 0; }));
  CHECK(std::all_of(scores + count, scores + capacity, [](float v) { return v == 0; }));
}

TEST_CASE("Rejects inputs that do not fit") {
  std::vector<RpnLevel> levels = random_levels();
  const std::vector<ImageSize> sizes{{96, 128}, {90, 100}};
  CHECK_THROWS_WITH_AS(rpn_proposals(levels, {{96, 128}}), doctest::Contains("logits must be"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(rpn_proposals(levels, sizes, {.post_nms_top_n = -1}),
                       doctest::Contains("negative"), ShapeError);
  levels[1].stride_width = 0;
  CHECK_THROWS_WITH_AS(rpn_proposals(levels, sizes), doctest::Contains("stride must be positive"),
                       ShapeError);
  levels[0].deltas = levels[0].logits;
  CHECK_THROWS_WITH_AS(rpn_proposals(levels, sizes), doctest::Contains("deltas must be"),
                       ShapeError);
  levels[0].deltas = {};
  CHECK_THROWS_WITH_AS(rpn_proposals(levels, sizes),
                       doctest::Contains("logits must be [N,H,W,5*A] without deltas"), ShapeError);
  CHECK_THROWS_WITH_AS(rpn_proposals(random_levels(), Tensor::zeros({2})),
                       doctest::Contains("image_sizes must be [N,2]"), ShapeError);
}

TEST_CASE("Matches the definition made of the single ops") {
  const std::vector<RpnLevel> levels = random_levels();
  const std::vector<ImageSize> sizes{{96, 128}, {61, 100}};
  for (const ProposalScore score : {ProposalScore::kProbability, ProposalScore::kLogit}) {
    for (const int64_t post : {20, 1000}) {
      const RpnProposalParams params{
          .pre_nms_top_n = 150, .post_nms_top_n = post, .min_size = 4, .score = score};
      const Proposals proposals = rpn_proposals(levels, sizes, params);
      REQUIRE(proposals.boxes.shape() == Shape{2, post, 4});
      for (int64_t n = 0; n < 2; ++n) {
        check_image(proposals, n,
                    plain_proposals(levels, n, sizes[static_cast<size_t>(n)], params));
      }
    }
  }
}

TEST_CASE("Joint levels: one top-k and one NMS over all of them") {
  std::vector<RpnLevel> levels = random_levels();
  const std::vector<ImageSize> sizes{{96, 128}, {96, 128}};
  const Proposals apart = rpn_proposals(levels, sizes, {.pre_nms_top_n = 100});
  const Proposals joint =
      rpn_proposals(levels, sizes, {.pre_nms_top_n = 100, .joint_levels = true});
  for (int64_t n = 0; n < 2; ++n) {
    const int32_t count = joint.count.data<const int32_t>()[n];
    CHECK(count > 10);
    CHECK(count <= 100);
    CHECK(count < apart.count.data<const int32_t>()[n]);
    // No kept pair overlaps, whatever the levels.
    const Tensor boxes = joint.boxes.slice(n, n + 1).reshape({1000, 4}).slice(0, count);
    Tensor scores = joint.scores.slice(n, n + 1).reshape({1000}).slice(0, count);
    const NmsResult again = nms(boxes.reshape({1, count, 4}), scores.reshape({1, count}), {}, {},
                                {.iou_threshold = 0.7});
    CHECK(again.count.data<const int32_t>()[0] == count);
  }
  // With one level there is no difference.
  levels.resize(1);
  const Proposals a = rpn_proposals(levels, sizes, {.pre_nms_top_n = 100});
  const Proposals b = rpn_proposals(levels, sizes, {.pre_nms_top_n = 100, .joint_levels = true});
  CHECK(std::equal(a.boxes.span<const float>().begin(), a.boxes.span<const float>().end(),
                   b.boxes.span<const float>().begin()));
}

TEST_CASE("Edges: saturated scores, NaN, no cells, no images, nothing wanted") {
  std::vector<RpnLevel> levels = random_levels();
  // Probabilities of 1 everywhere: the order is by level, logit, anchor.
  for (RpnLevel& level : levels) {
    for (float& logit : level.logits.span<float>()) logit += 40;
  }
  const std::vector<ImageSize> sizes{{96, 128}, {96, 128}};
  const RpnProposalParams params{.pre_nms_top_n = 80, .post_nms_top_n = 60};
  check_image(rpn_proposals(levels, sizes, params), 1,
              plain_proposals(levels, 1, sizes[1], params));

  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (float& logit : levels[0].logits.span<float>()) logit = nan;
  for (float& delta : levels[1].deltas.span<float>()) delta = nan;
  const Proposals proposals = rpn_proposals(levels, sizes, params);
  for (const float value : proposals.boxes.span<const float>()) CHECK_FALSE(std::isnan(value));
  CHECK(proposals.count.data<const int32_t>()[0] > 0);

  levels.resize(1);
  levels[0].logits = Tensor::empty({2, 0, 4, 3});
  levels[0].deltas = Tensor::empty({2, 0, 4, 12});
  CHECK(rpn_proposals(levels, sizes).count.data<const int32_t>()[1] == 0);
  CHECK(rpn_proposals({}, Tensor::empty({0, 2})).boxes.shape() == Shape{0, 1000, 4});
  CHECK(rpn_proposals(random_levels(), sizes, {.post_nms_top_n = 0}).boxes.shape() ==
        Shape{2, 0, 4});
}

// In each cell the logits and then the deltas.
RpnLevel merge(const RpnLevel& level) {
  const int64_t anchors = level.base_anchors.size(0);
  const int64_t cells = level.logits.numel() / anchors;
  RpnLevel merged = level;
  merged.logits = Tensor::empty(
      {level.logits.size(0), level.logits.size(1), level.logits.size(2), 5 * anchors});
  merged.deltas = {};
  const float* logit = level.logits.data<const float>();
  const float* delta = level.deltas.data<const float>();
  float* to = merged.logits.data<float>();
  for (int64_t cell = 0; cell < cells; ++cell) {
    for (int64_t i = 0; i < anchors; ++i) *to++ = *logit++;
    for (int64_t i = 0; i < 4 * anchors; ++i) *to++ = *delta++;
  }
  return merged;
}

// Deltas that move boxes but do not scale them: exp(0) is 1 on every device, so that results have
// the same bits. With a real GPU's expf they only come close; on the emulated one it is the CPU's.
std::vector<RpnLevel> levels_without_scaling() {
  std::vector<RpnLevel> levels = random_levels(64, 64);
  for (RpnLevel& level : levels) {
    float* delta = level.deltas.data<float>();
    for (int64_t i = 0; i < level.deltas.numel(); ++i) {
      if (i % 4 >= 2) delta[i] = 0;
    }
  }
  return levels;
}

Tensor convert(const Tensor& tensor, DType dtype, Device device) {
  return tensor.defined() ? copy_to(cast(tensor, dtype), device) : tensor;
}

// The levels as a GPU model hands them over, and what they are as f32.
struct DeviceLevels {
  std::vector<RpnLevel> levels;
  std::vector<RpnLevel> reference;
};

DeviceLevels on_device(const std::vector<RpnLevel>& levels, bool merged, DType dtype,
                       Device device) {
  DeviceLevels result;
  for (const RpnLevel& plain : levels) {
    const RpnLevel level = merged ? merge(plain) : plain;
    RpnLevel there = level;
    there.logits = convert(level.logits, dtype, device);
    there.deltas = convert(level.deltas, dtype, device);
    there.base_anchors = copy_to(level.base_anchors, device);
    result.levels.push_back(there);
    RpnLevel rounded = level;
    rounded.logits = cast(cast(level.logits, dtype), DType::kF32);
    if (level.deltas.defined()) rounded.deltas = cast(cast(level.deltas, dtype), DType::kF32);
    result.reference.push_back(rounded);
  }
  return result;
}

void check_same(const Proposals& actual, const Proposals& expected) {
  CHECK(test::count_different_bits(actual.count, expected.count) == 0);
  CHECK(test::count_different_bits(actual.scores, expected.scores) == 0);
  CHECK(test::count_different_bits(actual.boxes, expected.boxes) == 0);
}

TEST_CASE("One tensor of logits and deltas gives what two give") {
  const std::vector<RpnLevel> levels = random_levels();
  std::vector<RpnLevel> merged;
  for (const RpnLevel& level : levels) merged.push_back(merge(level));
  const std::vector<ImageSize> sizes{{96, 128}, {61, 100}};
  check_same(rpn_proposals(merged, sizes), rpn_proposals(levels, image_size_tensor(sizes)));
}

TEST_CASE("CUDA matches the CPU in every form of the inputs, at warp edges, with joint levels") {
  struct Run {
    bool merged;
    DType dtype;
    bool joint;
    int64_t pre;
    int64_t post;
  };
  test::on_cuda([](Device device) {
    const std::vector<RpnLevel> levels = levels_without_scaling();
    const Tensor sizes = Tensor::from(std::vector<float>{64, 64, 41, 60}, {2, 2});
    for (const auto& [merged, dtype, joint, pre, post] :
         {Run{false, DType::kF32, false, 1, 1}, Run{false, DType::kF32, true, 31, 40},
          Run{true, DType::kF32, false, 150, 600}, Run{false, DType::kBF16, false, 33, 20},
          Run{true, DType::kBF16, true, 129, 33}}) {
      CAPTURE(pre);
      const DeviceLevels in = on_device(levels, merged, dtype, device);
      const RpnProposalParams params{.pre_nms_top_n = pre,
                                     .post_nms_top_n = post,
                                     .min_size = 8,
                                     .score = ProposalScore::kLogit,
                                     .joint_levels = joint};
      check_same(rpn_proposals(in.levels, copy_to(sizes, device), params),
                 rpn_proposals(in.reference, sizes, params));
    }
  });
}

TEST_CASE("CUDA comes close to the CPU with the device's exponential") {
  test::on_cuda([](Device device) {
    const DeviceLevels in = on_device(random_levels(64, 64), true, DType::kF32, device);
    const std::vector<ImageSize> sizes{{64, 64}, {41, 60}};
    const RpnProposalParams params{.pre_nms_top_n = 60, .post_nms_top_n = 100};
    const Proposals found = rpn_proposals(in.levels, sizes, params);
    const Proposals expected = rpn_proposals(in.reference, sizes, params);
    CHECK(test::count_different_bits(found.count, expected.count) == 0);
    // Two units of 1.2e-7, in boxes of up to 64 pixels.
    CHECK(test::count_far(found.scores, expected.scores, 1e-6F) == 0);
    CHECK(test::count_far(found.boxes, expected.boxes, 1e-6F, 1e-4F) == 0);
  });
}

TEST_CASE("CUDA orders saturated scores by level, logit and anchor, and drops NaN") {
  test::on_cuda([](Device device) {
    std::vector<RpnLevel> levels = levels_without_scaling();
    const std::vector<ImageSize> sizes{{64, 64}, {64, 64}};
    const RpnProposalParams params{.pre_nms_top_n = 80, .post_nms_top_n = 60};
    for (RpnLevel& level : levels) {
      for (float& logit : level.logits.span<float>()) logit = std::round(logit) + 40;
    }
    DeviceLevels in = on_device(levels, false, DType::kF32, device);
    for (const bool joint : {false, true}) {
      RpnProposalParams variant = params;
      variant.joint_levels = joint;
      check_same(rpn_proposals(in.levels, sizes, variant),
                 rpn_proposals(in.reference, sizes, variant));
    }

    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (float& logit : levels[0].logits.span<float>()) logit = nan;
    for (float& delta : levels[1].deltas.span<float>()) delta = nan;
    in = on_device(levels, true, DType::kF32, device);
    check_same(rpn_proposals(in.levels, sizes, params), rpn_proposals(in.reference, sizes, params));
  });
}

TEST_CASE("CUDA takes the sizes of the moment when replayed") {
  test::on_cuda([](Device device) {
    const DeviceLevels in = on_device(levels_without_scaling(), true, DType::kF32, device);
    const RpnProposalParams params{
        .pre_nms_top_n = 40, .post_nms_top_n = 30, .score = ProposalScore::kLogit};
    const Tensor sizes = image_size_tensor({{64, 64}, {64, 64}}, device);
    MemoryArena arena(device);
    CapturedGraph graph(device, arena);
    const Proposals captured =
        graph.capture([&] { return rpn_proposals(in.levels, sizes, params); });
    const Tensor other = image_size_tensor({{30, 64}, {64, 40}});
    upload_bytes(sizes.raw(), device, other.raw(), other.bytes());
    graph.replay();
    check_same(captured, rpn_proposals(in.reference, other, params));
  });
}

TEST_CASE("CUDA edges: no cells, no levels, no images, nothing wanted, too many levels") {
  test::on_cuda([](Device device) {
    const auto zeros = [&](const Shape& shape) {
      return Tensor::zeros(shape, DType::kF32, device);
    };
    DeviceLevels in = on_device(levels_without_scaling(), false, DType::kF32, device);
    const std::vector<ImageSize> sizes{{64, 64}, {64, 64}};
    CHECK(rpn_proposals(in.levels, sizes, {.post_nms_top_n = 0}).boxes.shape() == Shape{2, 0, 4});
    const auto count_of = [](const Proposals& proposals) {
      return copy_to(proposals.count, Device{}).data<const int32_t>()[1];
    };
    CHECK(count_of(rpn_proposals(in.levels, sizes, {.pre_nms_top_n = 0})) == 0);
    CHECK(count_of(rpn_proposals({}, zeros({2, 2}))) == 0);
    CHECK(rpn_proposals({}, zeros({0, 2})).boxes.shape() == Shape{0, 1000, 4});
    in.levels[1].logits = zeros({2, 0, 4, 3});  // one level without cells among others
    in.levels[1].deltas = zeros({2, 0, 4, 12});
    in.reference[1].logits = Tensor::empty({2, 0, 4, 3});
    in.reference[1].deltas = Tensor::empty({2, 0, 4, 12});
    const RpnProposalParams params{
        .pre_nms_top_n = 40, .post_nms_top_n = 30, .score = ProposalScore::kLogit};
    check_same(rpn_proposals(in.levels, sizes, params), rpn_proposals(in.reference, sizes, params));
    CHECK(count_of(rpn_proposals({in.levels[1]}, sizes)) == 0);
    in.levels.resize(9, in.levels[0]);
    CHECK_THROWS_WITH_AS(rpn_proposals(in.levels, sizes),
                         doctest::Contains("9 levels, but a GPU takes at most 8"), ShapeError);
  });
}

}  // namespace
}  // namespace mrcnn
