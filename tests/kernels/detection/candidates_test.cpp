#include "kernels/detection/candidates.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

struct Inputs {
  Tensor logits;
  Tensor deltas;
  Tensor proposals;
};

Inputs random_inputs(int64_t images, int64_t rois, int64_t classes) {
  Inputs inputs{.logits = random_tensor({images, rois, classes}, 1, -4, 4),
                .deltas = random_tensor({images, rois, 4 * classes}, 2, -5, 5),
                .proposals = random_tensor({images, rois, 4}, 3, 0, 50)};
  for (int64_t i = 0; i < images * rois; ++i) {
    float* box = inputs.proposals.data<float>() + 4 * i;
    box[2] += box[0];
    box[3] += box[1];
  }
  return inputs;
}

TEST_CASE("Rejects inputs that do not fit") {
  const Inputs in = random_inputs(2, 5, 3);
  const std::vector<ImageSize> sizes{{60, 80}, {50, 90}};
  CHECK_THROWS_WITH_AS(select_candidates(in.logits, in.deltas, in.proposals, {}, {{60, 80}}),
                       doctest::Contains("class_logits must be [N,P,K]"), ShapeError);
  CHECK_THROWS_WITH_AS(select_candidates(in.logits, in.logits, in.proposals, {}, sizes),
                       doctest::Contains("box_deltas must be"), ShapeError);
  CHECK_THROWS_WITH_AS(select_candidates(in.logits, in.deltas, in.logits, {}, sizes),
                       doctest::Contains("proposals must be"), ShapeError);
  const Tensor count = Tensor::from(std::vector<int32_t>{6, 0}, {2});
  CHECK_THROWS_WITH_AS(select_candidates(in.logits, in.deltas, in.proposals, count, sizes),
                       doctest::Contains("proposal_count 6 is not in 0..5"), ShapeError);
}

TEST_CASE("Matches the definition, image by image") {
  const int64_t rois = 300;
  const int64_t classes = 11;
  const Inputs in = random_inputs(2, rois, classes);
  const std::vector<ImageSize> sizes{{60, 80}, {50, 90}};
  const std::vector<int32_t> counts{170, 300};
  const CandidateParams params{.score_threshold = 0.2F, .min_size = 20};
  const Candidates found = select_candidates(in.logits, in.deltas, in.proposals,
                                             Tensor::from(counts, {2}), sizes, params);
  int64_t most = 0;
  for (int64_t n = 0; n < 2; ++n) {
    const auto image = static_cast<size_t>(n);
    int64_t slot = 0;
    for (int64_t r = 0; r < counts[image]; ++r) {
      const int64_t roi = n * rois + r;
      const float* logits = in.logits.data<const float>() + roi * classes;
      double sum = 0;
      for (int64_t c = 0; c < classes; ++c) sum += std::exp(double{logits[c]});
      const Tensor boxes = clip_boxes(
          decode_boxes(in.deltas.reshape({2 * rois, 4 * classes}).slice(roi, roi + 1),
                       in.proposals.reshape({2 * rois, 4}).slice(roi, roi + 1), kBoxHeadWeights)
              .reshape({classes, 4}),
          static_cast<float>(sizes[image].height), static_cast<float>(sizes[image].width));
      for (int64_t c = 1; c < classes; ++c) {
        const float* box = boxes.data<const float>() + 4 * c;
        const double score = std::exp(double{logits[c]}) / sum;
        if (score <= 0.2 || box[2] - box[0] < 20 || box[3] - box[1] < 20) continue;
        const int64_t at = n * found.scores.size(1) + slot++;
        CHECK(found.labels.data<const int32_t>()[at] == c);
        CHECK(std::abs(double{found.scores.data<const float>()[at]} - score) < 1e-6);
        CHECK(std::equal(box, box + 4, found.boxes.data<const float>() + 4 * at));
      }
    }
    CHECK(found.count.data<const int32_t>()[n] == slot);
    most = std::max(most, slot);
  }
  CHECK(most > 50);
  CHECK(found.scores.shape() == Shape{2, most});
}

TEST_CASE("The threshold itself counts only without strict_greater") {
  const Tensor logits = Tensor::zeros({1, 1, 2});  // both probabilities are 0.5 exactly
  const Tensor deltas = Tensor::zeros({1, 1, 8});
  const Tensor proposals = Tensor::from(std::vector<float>{1, 2, 9, 8}, {1, 1, 4});
  const auto count = [&](bool strict) {
    return select_candidates(logits, deltas, proposals, {}, {{10, 10}},
                             {.score_threshold = 0.5F, .strict_greater = strict})
        .count.data<const int32_t>()[0];
  };
  CHECK(count(true) == 0);
  CHECK(count(false) == 1);
}

TEST_CASE("Edges: no images, no proposals, background only, NaN and large logits") {
  CHECK(select_candidates(Tensor::empty({0, 4, 3}), Tensor::empty({0, 4, 12}),
                          Tensor::empty({0, 4, 4}), {}, {})
            .boxes.shape() == Shape{0, 0, 4});
  CHECK(select_candidates(Tensor::empty({1, 0, 3}), Tensor::empty({1, 0, 12}),
                          Tensor::empty({1, 0, 4}), {}, {{9, 9}})
            .boxes.shape() == Shape{1, 0, 4});
  CHECK(select_candidates(Tensor::zeros({1, 2, 1}), Tensor::zeros({1, 2, 4}),
                          Tensor::zeros({1, 2, 4}), {}, {{9, 9}})
            .boxes.shape() == Shape{1, 0, 4});

  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor logits = Tensor::from(std::vector<float>{0, nan, 1, 500, 1000, -1000}, {1, 2, 3});
  const Tensor proposals = Tensor::from(std::vector<float>{1, 1, 5, 5, 1, 1, 5, 5}, {1, 2, 4});
  const Candidates found =
      select_candidates(logits, Tensor::zeros({1, 2, 12}), proposals, {}, {{9, 9}});
  REQUIRE(found.count.data<const int32_t>()[0] == 1);
  CHECK(found.labels.data<const int32_t>()[0] == 1);
  CHECK(found.scores.data<const float>()[0] == 1);
}

}  // namespace
}  // namespace mrcnn
