#include "kernels/detection/roi_align.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/primitives.h"
#include "kernels/detection/roi_align_math.h"
#include "tests/support/golden.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::channels_last;
using test::GoldenFile;
using test::random_tensor;

// Largest absolute difference; f32 or f64 each.
double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  const Tensor x = cast(a, DType::kF64);
  const Tensor y = cast(b, DType::kF64);
  double worst = 0;
  for (int64_t i = 0; i < x.numel(); ++i) {
    worst = std::max(worst, std::abs(x.data<const double>()[i] - y.data<const double>()[i]));
  }
  return worst;
}

Tensor align(const Tensor& map, const Tensor& rois, RoiAlignParams params) {
  const std::vector<Tensor> maps{map};
  return roi_align(maps, rois, params);
}

// RoIs of all sizes, some reaching far past a map of `extent` image pixels.
Tensor random_rois(int64_t count, int64_t images, double extent, uint64_t seed) {
  Tensor rois = random_tensor({count, 5}, seed, -0.2, 1.2);
  for (int64_t r = 0; r < count; ++r) {
    float* roi = rois.data<float>() + 5 * r;
    roi[0] = static_cast<float>(r % images);
    for (int i = 1; i < 5; ++i) roi[i] *= static_cast<float>(extent);
    if (roi[1] > roi[3]) std::swap(roi[1], roi[3]);
    if (roi[2] > roi[4]) std::swap(roi[2], roi[4]);
  }
  return rois;
}

TEST_CASE("Rejects inputs that do not fit") {
  const Tensor map = random_tensor({2, 5, 6, 3}, 1);
  const Tensor rois = random_rois(4, 2, 20, 2);
  const std::vector<Tensor> none;
  CHECK_THROWS_WITH_AS(roi_align(none, rois, {}), doctest::Contains("as many scales"), ShapeError);
  CHECK_THROWS_WITH_AS(align(map, rois, {.scales = {1, 0.5F}}), doctest::Contains("as many scales"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(align(map, rois, {.scales = {0}}), doctest::Contains("scale must be"),
                       ShapeError);
  const std::vector<Tensor> unlike{map, random_tensor({2, 3, 3, 4}, 1)};
  CHECK_THROWS_WITH_AS(roi_align(unlike, rois, {.scales = {1, 0.5F}}),
                       doctest::Contains("N and C as in the others"), ShapeError);
  CHECK_THROWS_WITH_AS(align(Tensor::empty({2, 0, 6, 3}), rois, {.scales = {1}}),
                       doctest::Contains("no pixels"), ShapeError);
  CHECK_THROWS_WITH_AS(align(map, random_tensor({4, 4}, 1), {.scales = {1}}),
                       doctest::Contains("rois must be [R,5]"), ShapeError);
  CHECK_THROWS_WITH_AS(align(map, random_rois(4, 3, 20, 2), {.scales = {1}}),
                       doctest::Contains("RoI 2 has image index 2, not -1 or 0..1"), ShapeError);
  CHECK_THROWS_WITH_AS(align(map, rois, {.pooled_height = 0, .scales = {1}}),
                       doctest::Contains("must be positive"), ShapeError);
  CHECK_THROWS_AS(align(Tensor::zeros({2, 5, 6, 3}, DType::kI32), rois, {.scales = {1}}),
                  DTypeError);
}

TEST_CASE("Matches torchvision: aligned or not, sampling fixed or adaptive") {
  const GoldenFile file("torchvision_ops.safetensors");
  for (const bool aligned : {false, true}) {
    for (const int64_t ratio : {-1, 0, 2}) {
      const std::string name =
          "roi_align_al" + std::to_string(aligned) + "_sr" + std::to_string(ratio);
      CAPTURE(name);
      const RoiAlignParams params{.sampling_ratio = ratio, .aligned = aligned, .scales = {0.0625F}};
      const Tensor expected = channels_last(file.golden(name + "/output"));
      const Tensor map = channels_last(file.golden(name + "/input"));
      const Tensor rois = file.golden(name + "/rois");
      CHECK(difference(align(map, rois, params), expected) < 1e-6);
      // The reference's positions are rounded to f32: 2e-6 of a pixel at 24.
      CHECK(difference(align(cast(map, DType::kF64), rois, params), expected) < 5e-6);
    }
  }
}

TEST_CASE("Matches torchvision over four levels") {
  const GoldenFile file("torchvision_ops.safetensors");
  std::vector<Tensor> maps;
  for (int level = 0; level < 4; ++level) {
    maps.push_back(channels_last(file.golden("multiscale_roi_align/feat" + std::to_string(level))));
  }
  const Tensor boxes = file.golden("multiscale_roi_align/boxes");
  Tensor rois = Tensor::zeros({boxes.size(0), 5});
  for (int64_t r = 0; r < boxes.size(0); ++r) {
    std::copy_n(boxes.data<const float>() + 4 * r, 4, rois.data<float>() + 5 * r + 1);
  }
  const Tensor output = roi_align(maps, rois, {.scales = {0.25F, 0.125F, 0.0625F, 0.03125F}});
  CHECK(difference(output, channels_last(file.golden("multiscale_roi_align/output"))) < 1e-6);
}

TEST_CASE("Matches the original system's examples") {
  std::vector<float> ramp(36);
  for (size_t i = 0; i < 36; ++i) ramp[i] = static_cast<float>(i);
  const Tensor map = Tensor::from(ramp, {1, 6, 6, 1});
  struct Example {
    std::vector<float> roi;
    float scale;
    int64_t ratio;
    std::vector<float> expected;
  };
  const std::vector<Example> examples{
      {{0, 1, 1, 4, 4}, 1, 2, {12.25F, 13.75F, 21.25F, 22.75F}},
      {{0, .2F, .2F, .4F, .4F}, 1, 2, {3.15F, 3.65F, 6.15F, 6.65F}},
      {{0, -3, -3, 8, 8}, 1, 2, {1.96875F, 2.65625F, 6.09375F, 6.78125F}},
      {{0, 32, 32, 160, 128}, 1.0F / 32, 2, {12.5F, 14.5F, 21.5F, 23.5F}},
      {{0, 0, 0, 5, 5}, 1, -1, {8.75F, 11.25F, 23.75F, 26.25F}}};
  for (const Example& example : examples) {
    const Tensor output = align(map, Tensor::from(example.roi, {1, 5}),
                                {.pooled_height = 2,
                                 .pooled_width = 2,
                                 .sampling_ratio = example.ratio,
                                 .scales = {example.scale}});
    CHECK(difference(output, Tensor::from(example.expected, {1, 2, 2, 1})) < 4e-6);
  }
}

TEST_CASE("f32 agrees with f64: channel counts around the vector width, odd outputs") {
  for (const int64_t channels : {1, 3, 15, 16, 17, 64, 65, 80, 129, 256}) {
    CAPTURE(channels);
    const std::vector<Tensor> maps{random_tensor({2, 25, 31, channels}, 3),
                                   random_tensor({2, 13, 16, channels}, 4)};
    const std::vector<Tensor> wide{cast(maps[0], DType::kF64), cast(maps[1], DType::kF64)};
    const Tensor rois = random_rois(41, 2, 120, 5);
    for (const int64_t ratio : {0, 2, 3}) {
      const RoiAlignParams params{.pooled_height = 3,
                                  .pooled_width = 5,
                                  .sampling_ratio = ratio,
                                  .aligned = ratio == 3,
                                  .scales = {0.25F, 0.125F},
                                  .canonical_scale = 60,
                                  .canonical_level = 3};
      // Positions are rounded to f32: 2e-6 of a pixel at 30, times the map's slope of up to 2.
      CHECK(difference(roi_align(maps, rois, params), roi_align(wide, rois, params)) < 2e-5);
    }
  }
}

TEST_CASE("Levels follow the size of a RoI") {
  // Each level's map is constant, so the output names the level; a RoI's only sample is at (0, 0).
  std::vector<Tensor> maps;
  for (int level = 2; level <= 5; ++level) {
    Tensor map = Tensor::empty({1, 8, 8, 1});
    fill_(map, level);
    maps.push_back(map);
  }
  const std::vector<std::pair<float, float>> sides{{1, 2},    {111.99F, 2}, {112, 3}, {223.9F, 3},
                                                   {224, 4},  {447.9F, 4},  {448, 5}, {900, 5},
                                                   {5000, 5}, {0, 2}};
  for (const auto& [side, level] : sides) {
    CAPTURE(side);
    const Tensor roi =
        Tensor::from(std::vector<float>{0, -side / 2, -side / 2, side / 2, side / 2}, {1, 5});
    const Tensor output = roi_align(maps, roi,
                                    {.pooled_height = 1,
                                     .pooled_width = 1,
                                     .sampling_ratio = 1,
                                     .aligned = false,
                                     .scales = {0.25F, 0.125F, 0.0625F, 0.03125F}});
    CHECK(output.data<const float>()[0] == level);
  }
}

TEST_CASE("Levels match torchvision, also next to the borders between two") {
  const GoldenFile file("traps.safetensors");
  const Tensor boxes = file.golden("levels/boxes");
  const Tensor levels = file.golden("levels/level");
  for (int64_t i = 0; i < boxes.size(0); ++i) {
    CAPTURE(i);
    const int64_t level = roi_level(boxes.data<const float>() + 4 * i, 224, 4, 2, 5);
    CHECK(level - 2 == levels.data<const int64_t>()[i]);
  }
}

TEST_CASE("Edges: no RoIs, unused RoIs, repeated RoIs, NaN, outside, huge") {
  const Tensor map = random_tensor({1, 6, 7, 20}, 6);
  CHECK(align(map, Tensor::empty({0, 5}), {.scales = {1}}).shape() == Shape{0, 7, 7, 20});
  CHECK(align(Tensor::empty({1, 6, 7, 0}), Tensor::zeros({2, 5}), {.scales = {1}}).numel() == 0);

  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor rois = Tensor::from(
      std::vector<float>{-1, 1,   1, 5, 5, 0, 1,  1,  5,  5,  0, 1,      1,      5,     5,
                         0,  nan, 1, 5, 5, 0, 90, 90, 99, 99, 0, -1e30F, -1e30F, 1e30F, 1e30F},
      {6, 5});
  for (const int64_t ratio : {2, 0}) {
    const Tensor output = align(map, rois, {.sampling_ratio = ratio, .scales = {1}});
    const auto all_zero = [&](int64_t r) {
      const Tensor row = output.slice(r, r + 1);
      return std::all_of(row.span<const float>().begin(), row.span<const float>().end(),
                         [](float v) { return v == 0; });
    };
    CHECK(all_zero(0));
    CHECK_FALSE(all_zero(1));
    CHECK(difference(output.slice(1, 2), output.slice(2, 3)) == 0);
    CHECK(all_zero(3));
    CHECK(all_zero(4));
  }
  // One pixel: every sample inside takes it.
  const Tensor pixel = random_tensor({1, 1, 1, 4}, 7);
  const Tensor output = align(pixel, Tensor::from(std::vector<float>{0, 0, 0, 1, 1}, {1, 5}),
                              {.pooled_height = 1, .pooled_width = 1, .scales = {1}});
  CHECK(difference(output, pixel) < 1e-7);
}

}  // namespace
}  // namespace mrcnn
