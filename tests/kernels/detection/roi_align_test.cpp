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
#include "tests/support/compare.h"
#include "tests/support/device.h"
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

std::vector<Tensor> copies(const std::vector<Tensor>& maps, DType dtype, Device device) {
  std::vector<Tensor> result;
  for (const Tensor& map : maps) result.push_back(copy_to(cast(map, dtype), device));
  return result;
}

// f32 sums are the CPU's up to the number of samples the tables hold; beyond it they are rounded
// elsewhere. bf16 reads rounded maps and rounds the sum.
void check_cuda(const std::vector<Tensor>& maps, const Tensor& rois, const RoiAlignParams& params,
                Device device, bool same_bits = true) {
  const Tensor on_device = copy_to(rois, device);
  const Tensor f32 = roi_align(copies(maps, DType::kF32, device), on_device, params);
  const Tensor expected = roi_align(maps, rois, params);
  CHECK(f32.device() == device);
  if (same_bits) CHECK(test::count_different_bits(f32, expected) == 0);
  CHECK(test::count_far(f32, expected, 1e-5F, 1e-6F) == 0);

  std::vector<Tensor> rounded;
  for (const Tensor& map : maps) rounded.push_back(test::rounded_to_bf16(map));
  const Tensor bf16 = roi_align(copies(maps, DType::kBF16, device), on_device, params);
  CHECK(bf16.dtype() == DType::kBF16);
  CHECK(test::count_far(bf16, roi_align(rounded, rois, params), test::kBf16Rounding, 1e-5F) == 0);
}

TEST_CASE("CUDA matches the CPU: channel counts around packs, fixed and adaptive sampling") {
  test::on_cuda([](Device device) {
    for (const int64_t channels : {1, 4, 7, 8, 40}) {
      CAPTURE(channels);
      const std::vector<Tensor> maps{random_tensor({2, 25, 31, channels}, 3),
                                     random_tensor({2, 13, 16, channels}, 4)};
      const Tensor rois = random_rois(5, 2, 120, 5);
      for (const int64_t ratio : {0, 2, 3}) {
        check_cuda(maps, rois,
                   {.pooled_height = 3,
                    .pooled_width = 5,
                    .sampling_ratio = ratio,
                    .aligned = ratio == 3,
                    .scales = {0.25F, 0.125F},
                    .canonical_scale = 60,
                    .canonical_level = 3},
                   device, ratio > 0);  // some RoIs need more samples than the tables hold
      }
    }
  });
}

TEST_CASE("CUDA matches the CPU: a warp per bin, over four levels") {
  test::on_cuda([](Device device) {
    std::vector<Tensor> maps;
    for (int level = 0; level < 4; ++level) {
      maps.push_back(random_tensor({1, 24 >> level, 28 >> level, 256}, 8));
    }
    Tensor rois = random_rois(3, 1, 100, 9);
    std::fill_n(rois.data<float>() + 10, 5, -1.0F);  // unused
    for (const int64_t ratio : {0, 2}) {
      check_cuda(maps, rois,
                 {.pooled_height = 3,
                  .sampling_ratio = ratio,
                  .scales = {0.25F, 0.125F, 0.0625F, 0.03125F},
                  .canonical_scale = 40},
                 device);
    }
  });
}

TEST_CASE("CUDA matches the CPU: more samples or bins than the tables hold") {
  test::on_cuda([](Device device) {
    const std::vector<Tensor> maps{random_tensor({1, 30, 36, 8}, 10)};
    const Tensor rois = Tensor::from(
        std::vector<float>{0, 1, 2, 35, 29, 0, -20, -9, 60, 50, 0, 3, 3, 12, 20, 0, 4, 4, 2, 2},
        {4, 5});
    for (const int64_t ratio : {0, 9}) {
      for (const bool aligned : {false, true}) {
        check_cuda(maps, rois,
                   {.pooled_height = 2,
                    .pooled_width = 3,
                    .sampling_ratio = ratio,
                    .aligned = aligned,
                    .scales = {1}},
                   device, false);
      }
    }
    check_cuda(maps, rois.slice(0, 1),
               {.pooled_height = 1500, .pooled_width = 1, .sampling_ratio = 1, .scales = {1}},
               device, false);
  });
}

TEST_CASE("CUDA: RoIs of no image, NaN, outside and huge ones give zeros") {
  test::on_cuda([](Device device) {
    const Tensor map = random_tensor({2, 6, 7, 8}, 6);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> indices{-1, -2, 2, 1e30F, nan, infinity, 0.5F, 0, 0, 0, 0, 1};
    Tensor rois = Tensor::empty({static_cast<int64_t>(indices.size()), 5});
    for (size_t r = 0; r < indices.size(); ++r) {
      const std::vector<float> roi{indices[r], 1, 1, 5, 5};
      std::copy_n(roi.data(), 5, rois.data<float>() + 5 * r);
    }
    rois.data<float>()[5 * 7 + 2] = nan;
    rois.data<float>()[5 * 8 + 3] = infinity;
    std::fill_n(rois.data<float>() + 5 * 9 + 1, 4, 90.0F);
    const std::vector<float> huge{-1e30F, -1e30F, 1e30F, 1e30F};
    std::copy_n(huge.data(), 4, rois.data<float>() + 5 * 10 + 1);
    for (const int64_t ratio : {0, 2}) {
      const RoiAlignParams params{
          .pooled_height = 2, .pooled_width = 2, .sampling_ratio = ratio, .scales = {1}};
      const Tensor output =
          copy_to(align(copy_to(map, device), copy_to(rois, device), params), Device{});
      const Tensor zeros = Tensor::zeros(output.slice(0, 11).shape());
      CHECK(test::count_different_bits(output.slice(0, 11), zeros) == 0);
      const Tensor last = align(map, rois.slice(11, 12), params);
      CHECK(test::count_different_bits(output.slice(11, 12), last) == 0);
    }
  });
}

TEST_CASE("CUDA: no RoIs, no channels, too many maps, tensors on two devices") {
  test::on_cuda([](Device device) {
    const Tensor map = copy_to(random_tensor({1, 6, 7, 8}, 6), device);
    const Tensor rois = copy_to(random_rois(2, 1, 5, 7), device);
    CHECK(align(map, Tensor::empty({0, 5}, DType::kF32, device), {.scales = {1}}).shape() ==
          Shape{0, 7, 7, 8});
    CHECK(align(Tensor::empty({1, 6, 7, 0}, DType::kF32, device), rois, {.scales = {1}}).numel() ==
          0);
    const std::vector<Tensor> nine(9, map);
    CHECK_THROWS_WITH_AS(roi_align(nine, rois, {.scales = std::vector<float>(9, 1)}),
                         doctest::Contains("9 feature maps are more than the 8"), ShapeError);
    CHECK_THROWS_WITH_AS(align(map, copy_to(rois, Device{}), {.scales = {1}}),
                         doctest::Contains("different devices"), DeviceError);
    CHECK_THROWS_AS(align(Tensor::empty({1, 6, 7, 8}, DType::kF64, device), rois, {.scales = {1}}),
                    DTypeError);
  });
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
