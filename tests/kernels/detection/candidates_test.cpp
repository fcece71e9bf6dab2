#include "kernels/detection/candidates.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/device_memory.h"
#include "core/error.h"
#include "core/graph.h"
#include "kernels/detection/image_sizes.h"
#include "kernels/shape/split_channels.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
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
  CHECK_THROWS_WITH_AS(select_candidates(in.logits, {}, in.proposals, {}, sizes),
                       doctest::Contains("must be [N,P,5*K] without box_deltas"), ShapeError);
  CHECK_THROWS_WITH_AS(select_candidates(in.logits, in.deltas, in.proposals, {}, in.logits),
                       doctest::Contains("image_sizes must be [N,2]"), ShapeError);
  CHECK_THROWS_WITH_AS(
      select_candidates(cast(in.logits, DType::kBF16), in.deltas, in.proposals, {}, sizes),
      doctest::Contains("box_deltas must be bf16"), DTypeError);
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
                          Tensor::empty({0, 4, 4}), {}, Tensor::empty({0, 2}))
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

// Per RoI the logits and then the deltas.
Tensor merge(const Inputs& in) {
  const int64_t rows = in.logits.size(0) * in.logits.size(1);
  const int64_t classes = in.logits.size(2);
  Tensor merged = Tensor::empty({in.logits.size(0), in.logits.size(1), 5 * classes});
  for (int64_t row = 0; row < rows; ++row) {
    float* to = merged.data<float>() + row * 5 * classes;
    std::copy_n(in.logits.data<const float>() + row * classes, classes, to);
    std::copy_n(in.deltas.data<const float>() + row * 4 * classes, 4 * classes, to + classes);
  }
  return merged;
}

TEST_CASE("One tensor of logits and deltas gives what two give") {
  const Inputs in = random_inputs(2, 40, 5);
  const std::vector<ImageSize> sizes{{60, 80}, {50, 90}};
  const Candidates two = select_candidates(in.logits, in.deltas, in.proposals, {}, sizes);
  const Candidates one = select_candidates(merge(in), {}, in.proposals, {}, sizes);
  CHECK(test::count_different_bits(one.boxes, two.boxes) == 0);
  CHECK(test::count_different_bits(one.scores, two.scores) == 0);
  CHECK(test::count_different_bits(one.count, two.count) == 0);
}

TEST_CASE("No RoI has more candidates than the bound") {
  CHECK(max_candidates_per_roi(91, 0.05F) == 20);
  CHECK(max_candidates_per_roi(91, 0.5F) == 3);
  CHECK(max_candidates_per_roi(91, 2.0F) == 1);
  CHECK(max_candidates_per_roi(6, 0.05F) == 5);
  CHECK(max_candidates_per_roi(91, 0.0F) == 90);
  CHECK(max_candidates_per_roi(91, -1.0F) == 90);
  CHECK(max_candidates_per_roi(91, 1e-30F) == 90);
  CHECK(max_candidates_per_roi(91, std::numeric_limits<float>::quiet_NaN()) == 90);
  CHECK(max_candidates_per_roi(1, 0.05F) == 0);
  CHECK(max_candidates_per_roi(0, 0.05F) == 0);
  // As many equal classes as can be at the threshold, background impossible.
  for (int64_t equal = 1; equal <= 90; ++equal) {
    Tensor logits = random_tensor({1, 1, 91}, static_cast<uint64_t>(equal), -200, -199);
    for (int64_t c = 0; c < equal; ++c) logits.data<float>()[90 - c] = 3;
    const Tensor deltas = Tensor::zeros({1, 1, 364});
    const Tensor proposals = Tensor::from(std::vector<float>{1, 2, 9, 8}, {1, 1, 4});
    const auto found = [&](float threshold) {
      return select_candidates(logits, deltas, proposals, {}, {{10, 10}},
                               {.score_threshold = threshold, .strict_greater = false})
          .count.data<const int32_t>()[0];
    };
    const float share = 1 / static_cast<float>(equal);
    for (const float threshold : {std::nextafter(share, 0.0F), share}) {
      CAPTURE(equal);
      CHECK(found(threshold) == equal);
      CHECK(equal <= max_candidates_per_roi(91, threshold));
    }
    CHECK(found(std::nextafter(share, 2.0F)) == 0);
  }
}

// What is used of the GPU's lists must be the CPU's, and the rest zero.
void check_same(const Candidates& actual, const Candidates& expected) {
  REQUIRE(test::count_different_bits(actual.count, expected.count) == 0);
  const int64_t images = expected.count.numel();
  const Tensor boxes = copy_to(actual.boxes, Device{});
  const Tensor scores = copy_to(actual.scores, Device{});
  const Tensor labels = copy_to(actual.labels, Device{});
  const int64_t capacity = scores.size(1);
  const int64_t width = expected.scores.size(1);
  REQUIRE(capacity >= width);
  int64_t different = 0;
  for (int64_t n = 0; n < images; ++n) {
    for (int64_t i = 0; i < capacity; ++i) {
      const int64_t at = n * capacity + i;
      const int64_t from = n * width + i;
      const bool used = i < expected.count.data<const int32_t>()[n];
      const auto same = [&](auto value, const auto* values, int64_t index) {
        return value == (used ? values[index] : 0);
      };
      bool equal =
          same(scores.data<const float>()[at], expected.scores.data<const float>(), from) &&
          same(labels.data<const int32_t>()[at], expected.labels.data<const int32_t>(), from);
      for (int64_t j = 0; j < 4; ++j) {
        equal = equal && same(boxes.data<const float>()[4 * at + j],
                              expected.boxes.data<const float>(), 4 * from + j);
      }
      if (!equal) ++different;
    }
  }
  CHECK(different == 0);
}

// Scores have the same bits on every device. Boxes are decoded with the device's expf: the same
// bits on the emulated one, but on a real GPU deltas are zero here in size, where exp is exact.
Inputs without_scaling(Inputs in) {
  float* delta = in.deltas.data<float>();
  for (int64_t i = 0; i < in.deltas.numel(); ++i) {
    if (i % 4 >= 2) delta[i] = 0;
  }
  return in;
}

TEST_CASE("CUDA matches the CPU at warp and block edges, apart, merged and in bf16") {
  test::on_cuda([](Device device) {
    for (const auto& [rois, classes] : {std::pair{1, 2}, {3, 31}, {5, 32}, {33, 33}, {7, 91}}) {
      CAPTURE(rois);
      CAPTURE(classes);
      Inputs in = without_scaling(random_inputs(2, rois, classes));
      const std::vector<ImageSize> sizes{{60, 80}, {50, 90}};
      const Tensor count = Tensor::from(std::vector<int32_t>{rois, rois / 2}, {2});
      const CandidateParams params{.score_threshold = 0.04F, .min_size = 5};
      const Tensor proposals = copy_to(in.proposals, device);
      const Tensor size_tensor = image_size_tensor(sizes, device);
      check_same(select_candidates(copy_to(in.logits, device), copy_to(in.deltas, device),
                                   proposals, copy_to(count, device), size_tensor, params),
                 select_candidates(in.logits, in.deltas, in.proposals, count, sizes, params));
      const Tensor merged = cast(merge(in), DType::kBF16);
      const auto parts = split_channels(cast(merged, DType::kF32), classes);
      check_same(select_candidates(copy_to(merged, device), {}, proposals, {}, sizes, params),
                 select_candidates(parts.first, parts.second, in.proposals, {}, sizes, params));
    }
  });
}

TEST_CASE("CUDA decodes sizes to within a few units in the last place") {
  test::on_cuda([](Device device) {
    const Inputs in = random_inputs(1, 20, 7);
    const std::vector<ImageSize> sizes{{300, 300}};
    const CandidateParams params{.score_threshold = 0.1F, .min_size = 0};
    const Candidates found =
        select_candidates(copy_to(in.logits, device), copy_to(in.deltas, device),
                          copy_to(in.proposals, device), {}, sizes, params);
    const Candidates expected =
        select_candidates(in.logits, in.deltas, in.proposals, {}, sizes, params);
    const int64_t used = expected.scores.size(1);
    REQUIRE(test::count_different_bits(found.count, expected.count) == 0);
    // exp is off by 2 units of 1.2e-7 at most, of box sides below 300.
    CHECK(test::count_far(found.boxes.reshape({found.boxes.size(1), 4}).slice(0, used),
                          expected.boxes.reshape({used, 4}), 1e-6F, 1e-4F) == 0);
  });
}

TEST_CASE("CUDA fills a RoI's places up to the last") {
  test::on_cuda([](Device device) {
    const int64_t classes = 41;
    Tensor logits = Tensor::zeros({1, 5, classes});
    for (int64_t roi = 0; roi < 5; ++roi) logits.data<float>()[roi * classes] = -100;
    const Tensor deltas = Tensor::zeros({1, 5, 4 * classes});
    Tensor proposals = random_tensor({1, 5, 4}, 3, 0, 4);
    for (int64_t i = 2; i < 20; i += 4) {
      proposals.data<float>()[i] += 5;
      proposals.data<float>()[i + 1] += 5;
    }
    for (const float threshold : {0.025F, 0.0F}) {
      const CandidateParams params{.score_threshold = threshold, .strict_greater = false};
      const Candidates expected =
          select_candidates(logits, deltas, proposals, {}, {{10, 10}}, params);
      REQUIRE(expected.count.data<const int32_t>()[0] >= 200);
      check_same(select_candidates(copy_to(logits, device), copy_to(deltas, device),
                                   copy_to(proposals, device), {}, {{10, 10}}, params),
                 expected);
    }
  });
}

// The memory stays where it is, as a captured graph needs it.
void overwrite(const Tensor& on_device, const Tensor& with) {
  upload_bytes(on_device.raw(), on_device.device(), with.raw(), with.bytes());
}

TEST_CASE("CUDA takes sizes and counts from the tensors of the moment when replayed") {
  test::on_cuda([](Device device) {
    const Inputs in = without_scaling(random_inputs(2, 9, 4));
    const std::vector<ImageSize> first{{300, 300}, {300, 300}};
    const std::vector<ImageSize> second{{40, 60}, {70, 30}};
    const Tensor logits = copy_to(in.logits, device);
    const Tensor deltas = copy_to(in.deltas, device);
    const Tensor proposals = copy_to(in.proposals, device);
    const Tensor sizes = image_size_tensor(first, device);
    const Tensor count = copy_to(Tensor::from(std::vector<int32_t>{9, 9}, {2}), device);
    MemoryArena arena(device);
    CapturedGraph graph(device, arena);
    const Candidates captured =
        graph.capture([&] { return select_candidates(logits, deltas, proposals, count, sizes); });
    const Tensor fewer = Tensor::from(std::vector<int32_t>{4, 0}, {2});
    overwrite(sizes, image_size_tensor(second));
    overwrite(count, fewer);
    graph.replay();
    check_same(captured, select_candidates(in.logits, in.deltas, in.proposals, fewer, second));
    // A count that does not fit is clamped.
    overwrite(count, Tensor::from(std::vector<int32_t>{99, -1}, {2}));
    graph.replay();
    const Tensor clamped = Tensor::from(std::vector<int32_t>{9, 0}, {2});
    check_same(captured, select_candidates(in.logits, in.deltas, in.proposals, clamped, second));
  });
}

TEST_CASE("CUDA edges: no images, no proposals, background only, NaN and large logits") {
  test::on_cuda([](Device device) {
    const auto zeros = [&](const Shape& shape) {
      return Tensor::zeros(shape, DType::kF32, device);
    };
    CHECK(
        select_candidates(zeros({0, 4, 3}), zeros({0, 4, 12}), zeros({0, 4, 4}), {}, zeros({0, 2}))
            .count.shape() == Shape{0});
    const std::vector<ImageSize> sizes{{9, 9}};
    for (const Candidates& none :
         {select_candidates(zeros({1, 0, 3}), zeros({1, 0, 12}), zeros({1, 0, 4}), {}, sizes),
          select_candidates(zeros({1, 2, 1}), zeros({1, 2, 4}), zeros({1, 2, 4}), {}, sizes)}) {
      CHECK(none.boxes.shape() == Shape{1, 0, 4});
      CHECK(copy_to(none.count, Device{}).data<const int32_t>()[0] == 0);
    }
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    const Tensor logits =
        Tensor::from(std::vector<float>{nan, 0, 1, 0, nan, 1, 500, 1000, -1000, infinity, 0, 0,
                                        -infinity, -infinity, -infinity, 0, -infinity, 1},
                     {1, 6, 3});
    const Tensor deltas = Tensor::zeros({1, 6, 12});
    Tensor proposals = Tensor::empty({1, 6, 4});
    for (int64_t i = 0; i < 24; ++i) proposals.data<float>()[i] = i % 4 < 2 ? 1.0F : 5.0F;
    const Candidates expected = select_candidates(logits, deltas, proposals, {}, sizes);
    CHECK(expected.count.data<const int32_t>()[0] == 2);
    check_same(select_candidates(copy_to(logits, device), copy_to(deltas, device),
                                 copy_to(proposals, device), {}, sizes),
               expected);
  });
}

}  // namespace
}  // namespace mrcnn
