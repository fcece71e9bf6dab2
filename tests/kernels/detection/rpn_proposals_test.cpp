#include "kernels/detection/rpn_proposals.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "kernels/detection/anchors.h"
#include "kernels/detection/box_coder.h"
#include "kernels/detection/nms.h"
#include "kernels/detection/topk.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

// Three levels of 96 x 128 pixels for two images.
std::vector<RpnLevel> random_levels() {
  const std::vector<double> ratios{0.5, 1, 2};
  std::vector<RpnLevel> levels;
  for (int64_t i = 0; i < 3; ++i) {
    const int64_t stride = 8 << i;
    const std::vector<double> sizes{static_cast<double>(3 * stride)};
    const Shape logits{2, 96 / stride, 128 / stride, 3};
    const Shape deltas{2, 96 / stride, 128 / stride, 12};
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
  CHECK(rpn_proposals({}, {}).boxes.shape() == Shape{0, 1000, 4});
  CHECK(rpn_proposals(random_levels(), sizes, {.post_nms_top_n = 0}).boxes.shape() ==
        Shape{2, 0, 4});
}

}  // namespace
}  // namespace mrcnn
