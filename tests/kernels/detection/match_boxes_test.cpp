#include "kernels/detection/match_boxes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "core/primitives.h"
#include "kernels/detection/iou.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/golden.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

constexpr MatchParams kRpn{.fg_threshold = 0.7F, .bg_threshold = 0.3F, .low_quality = true};

Tensor counts(const std::vector<int32_t>& values) {
  return Tensor::from(values, {static_cast<int64_t>(values.size())});
}

// Boxes in an image of 60 pixels; coordinates are multiples of `grid`, so that IoUs tie.
Tensor random_boxes(const Shape& shape, uint64_t seed, double grid) {
  Tensor boxes = test::random_tensor(shape, seed, 0, 30 / grid);
  for (int64_t i = 0; i < boxes.numel() / 4; ++i) {
    float* box = boxes.data<float>() + 4 * i;
    for (int k = 0; k < 4; ++k) box[k] = std::floor(box[k]) * static_cast<float>(grid);
    box[2] += box[0];
    box[3] += box[1];
  }
  return boxes;
}

// The definition, on the matrix of all IoUs.
std::vector<int32_t> plain_match(const Tensor& refs, const Tensor& objects,
                                 const MatchParams& params) {
  const Tensor iou = box_iou(objects, refs);
  const int64_t num_objects = objects.size(0);
  const int64_t num_refs = refs.size(0);
  const auto at = [&](int64_t g, int64_t t) { return iou.data<const float>()[g * num_refs + t]; };
  std::vector<int32_t> own;
  std::vector<int32_t> labels;
  for (int64_t t = 0; t < num_refs; ++t) {
    int64_t best = 0;
    for (int64_t g = 1; g < num_objects; ++g) best = at(g, t) > at(best, t) ? g : best;
    own.push_back(static_cast<int32_t>(best));
    const float value = num_objects == 0 ? 0.0F : at(best, t);
    labels.push_back(value >= params.fg_threshold  ? own.back()
                     : value < params.bg_threshold ? kBackground
                                                   : kIgnored);
  }
  for (int64_t g = 0; params.low_quality && g < num_objects; ++g) {
    float top = 0;
    for (int64_t t = 0; t < num_refs; ++t) top = std::max(top, at(g, t));
    if (top == 0 && !params.compat) continue;
    for (int64_t t = 0; t < num_refs; ++t) {
      if (at(g, t) == top) labels[static_cast<size_t>(t)] = own[static_cast<size_t>(t)];
    }
  }
  return labels;
}

std::vector<int32_t> row(const Tensor& matched, int64_t image) {
  const auto values = matched.slice(image, image + 1).span<const int32_t>();
  return {values.begin(), values.end()};
}

TEST_CASE("Rejects inputs that do not fit") {
  const Tensor refs = random_boxes({5, 4}, 1, 1);
  const Tensor objects = random_boxes({2, 3, 4}, 2, 1);
  const Tensor two = counts({3, 3});
  CHECK_THROWS_WITH_AS(match_boxes(Tensor{}, {}, objects, two, kRpn),
                       doctest::Contains("refs must be [T,4] or [N,T,4]"), ShapeError);
  CHECK_THROWS_WITH_AS(match_boxes(random_boxes({3, 5, 4}, 1, 1), {}, objects, two, kRpn),
                       doctest::Contains("refs must be [T,4] or [N,T,4]"), ShapeError);
  CHECK_THROWS_WITH_AS(match_boxes(refs, {}, refs, two, kRpn),
                       doctest::Contains("gt_boxes must be [N,G,4]"), ShapeError);
  CHECK_THROWS_WITH_AS(match_boxes(refs, {}, objects, counts({3, 4}), kRpn),
                       doctest::Contains("gt_count has 4, not 0..3"), ShapeError);
  CHECK_THROWS_WITH_AS(match_boxes(refs, counts({5, -1}), objects, two, kRpn),
                       doctest::Contains("ref_count has -1, not 0..5"), ShapeError);
  CHECK_THROWS_WITH_AS(match_boxes(refs, {}, objects, Tensor::zeros({2}), kRpn),
                       doctest::Contains("gt_count must be i32"), DTypeError);
  CHECK_THROWS_WITH_AS(
      match_boxes(refs, {}, objects, two, {.fg_threshold = 0.3F, .bg_threshold = 0.5F}),
      doctest::Contains("thresholds must be"), ShapeError);
}

TEST_CASE("Matches torchvision's labels") {
  const test::GoldenFile file("match_boxes.safetensors");
  for (const std::string name : {"ties", "fine"}) {
    CAPTURE(name);
    const Tensor refs = file.golden(name + "/refs");
    const Tensor objects = file.golden(name + "/gt_boxes");
    const auto count = static_cast<int32_t>(objects.size(0));
    const auto match = [&](const MatchParams& params) {
      return match_boxes(refs, {}, objects.reshape({1, count, 4}), counts({count}), params);
    };
    const Shape row{1, refs.size(0)};
    CHECK(test::count_different_bits(match(kRpn), file.golden(name + "/rpn").reshape(row)) == 0);
    CHECK(test::count_different_bits(match({}), file.golden(name + "/box_head").reshape(row)) == 0);
  }
}

TEST_CASE("Matches the definition on the matrix of IoUs, with many ties") {
  for (const int64_t num_refs : {1, 15, 256, 257, 5000}) {
    for (const int64_t num_objects : {1, 2, 30}) {
      for (const bool compat : {false, true}) {
        CAPTURE(num_refs);
        CAPTURE(num_objects);
        CAPTURE(compat);
        const Tensor refs = random_boxes({num_refs, 4}, 3, 5);
        Tensor objects = random_boxes({2, num_objects, 4}, 4, 5);
        if (num_objects > 1) std::fill_n(objects.data<float>() + 4, 4, 7.0F);  // no area
        MatchParams rpn = kRpn;
        rpn.compat = compat;
        for (const MatchParams& params : {rpn, MatchParams{}}) {
          const auto all = static_cast<int32_t>(num_objects);
          const Tensor matched = match_boxes(refs, {}, objects, counts({all, all}), params);
          for (int64_t n = 0; n < 2; ++n) {
            const Tensor own = objects.slice(n, n + 1).reshape({num_objects, 4});
            CHECK(row(matched, n) == plain_match(refs, own, params));
          }
        }
      }
    }
  }
}

TEST_CASE("Each image has its own refs, and rows past a count take no part") {
  const Tensor refs = random_boxes({2, 300, 4}, 5, 1);
  const Tensor objects = random_boxes({2, 4, 4}, 6, 1);
  const Tensor matched = match_boxes(refs, counts({290, 7}), objects, counts({3, 0}), kRpn);
  std::vector<int32_t> expected =
      plain_match(refs.slice(0, 1).reshape({300, 4}).slice(0, 290),
                  objects.slice(0, 1).reshape({4, 4}).slice(0, 3), kRpn);
  expected.resize(300, kIgnored);
  CHECK(row(matched, 0) == expected);
  std::vector<int32_t> background(7, kBackground);
  background.resize(300, kIgnored);
  CHECK(row(matched, 1) == background);
}

TEST_CASE("A ref raised by one object keeps the object that it overlaps most") {
  // The first object's best ref is the second one's ref too, and closer to that.
  const Tensor refs = Tensor::from(std::vector<float>{0, 0, 10, 10, 40, 40, 50, 50}, {2, 4});
  const Tensor objects = Tensor::from(std::vector<float>{0, 0, 10, 4, 0, 0, 10, 9}, {1, 2, 4});
  const Tensor matched = match_boxes(refs, {}, objects, counts({2}), kRpn);
  CHECK(row(matched, 0) == std::vector<int32_t>{1, kBackground});
}

TEST_CASE("An object that nothing overlaps matches nobody, or everybody with compat") {
  const Tensor refs = Tensor::from(std::vector<float>{0, 0, 10, 10, 20, 20, 30, 30}, {2, 4});
  const Tensor objects = Tensor::from(std::vector<float>{5, 5, 5, 9}, {1, 1, 4});
  MatchParams params = kRpn;
  CHECK(row(match_boxes(refs, {}, objects, counts({1}), params), 0) ==
        std::vector<int32_t>{kBackground, kBackground});
  params.compat = true;
  CHECK(row(match_boxes(refs, {}, objects, counts({1}), params), 0) == std::vector<int32_t>{0, 0});
}

TEST_CASE("Thresholds: reaching fg matches, reaching bg is ignored") {
  const Tensor refs =
      Tensor::from(std::vector<float>{0, 0, 4, 3, 0, 0, 4, 2, 0, 0, 4, 1, 0, 0, 4, 0}, {4, 4});
  const Tensor objects = Tensor::from(std::vector<float>{0, 0, 4, 4}, {1, 1, 4});
  const MatchParams params{.fg_threshold = 0.75F, .bg_threshold = 0.5F};
  CHECK(row(match_boxes(refs, {}, objects, counts({1}), params), 0) ==
        std::vector<int32_t>{0, kIgnored, kBackground, kBackground});
}

TEST_CASE("Does not depend on the number of threads") {
  const Tensor refs = random_boxes({20000, 4}, 7, 1);
  const Tensor objects = random_boxes({1, 40, 4}, 8, 1);
  const int threads = num_threads();
  set_num_threads(1);
  const Tensor one = match_boxes(refs, {}, objects, counts({40}), kRpn);
  set_num_threads(4);
  CHECK(test::count_different_bits(match_boxes(refs, {}, objects, counts({40}), kRpn), one) == 0);
  set_num_threads(threads);
}

TEST_CASE("Edges: no refs, no room for objects, no images, NaN") {
  const Tensor none = Tensor::empty({1, 0, 4});
  CHECK(match_boxes(Tensor::empty({0, 4}), {}, none, counts({0}), kRpn).shape() == Shape{1, 0});
  const Tensor refs = random_boxes({3, 4}, 9, 1);
  CHECK(row(match_boxes(refs, {}, none, counts({0}), kRpn), 0) ==
        std::vector<int32_t>(3, kBackground));
  CHECK(match_boxes(refs, {}, Tensor::empty({0, 5, 4}), Tensor::empty({0}, DType::kI32), kRpn)
            .shape() == Shape{0, 3});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor broken = Tensor::from(std::vector<float>{0, 0, 4, 4, 0, nan, 4, 4}, {2, 4});
  const Tensor objects =
      Tensor::from(std::vector<float>{nan, nan, nan, nan, 0, 0, 4, 4}, {1, 2, 4});
  CHECK(row(match_boxes(broken, {}, objects, counts({2}), kRpn), 0) ==
        std::vector<int32_t>{1, kBackground});
}

TEST_CASE("CUDA matches the CPU around block, warp and object tile edges") {
  test::on_cuda([](Device device) {
    const auto check = [&](const Tensor& refs, const Tensor& ref_count, const Tensor& objects,
                           const Tensor& gt_count, const MatchParams& params) {
      const Tensor on_cpu = match_boxes(refs, ref_count, objects, gt_count, params);
      const Tensor matched = match_boxes(
          copy_to(refs, device), ref_count.defined() ? copy_to(ref_count, device) : Tensor{},
          copy_to(objects, device), copy_to(gt_count, device), params);
      CHECK(test::count_different_bits(matched, on_cpu) == 0);
    };
    MatchParams compat = kRpn;
    compat.compat = true;
    for (const int64_t refs : {1, 33, 257}) {
      CAPTURE(refs);
      const Tensor shared = random_boxes({refs, 4}, 10, 5);
      const Tensor own = random_boxes({2, refs, 4}, 11, 5);
      const Tensor objects = random_boxes({2, 5, 4}, 12, 5);
      const auto most = static_cast<int32_t>(refs);
      check(shared, {}, objects, counts({5, 0}), kRpn);
      check(shared, {}, objects, counts({5, 1}), compat);
      check(own, counts({most, most / 2}), objects, counts({1, 5}), {});
    }
    const Tensor refs = random_boxes({40, 4}, 13, 5);
    check(refs, {}, random_boxes({1, 130, 4}, 14, 5), counts({130}), kRpn);
    check(refs, {}, Tensor::empty({1, 0, 4}), counts({0}), kRpn);
    check(Tensor::empty({0, 4}), {}, random_boxes({1, 3, 4}, 14, 5), counts({3}), kRpn);
  });
}

}  // namespace
}  // namespace mrcnn
