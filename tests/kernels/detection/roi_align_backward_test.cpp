#include "kernels/detection/roi_align_backward.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "core/primitives.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/golden.h"
#include "tests/support/gradient_check.h"
#include "tests/support/op_gradients.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"

namespace mrcnn {
namespace {

using test::op_gradients;
using test::random_tensor;

// RoIs of all sizes, some reaching past an image of `extent` pixels, every fifth one unused.
Tensor random_rois(int64_t count, int64_t images, double extent, uint64_t seed) {
  Tensor rois = random_tensor({count, 5}, seed, -0.2 * extent, 1.2 * extent);
  for (int64_t r = 0; r < count; ++r) {
    float* roi = rois.data<float>() + 5 * r;
    roi[0] = static_cast<float>(r % 5 == 4 ? -1 : r % images);
    if (roi[1] > roi[3]) std::swap(roi[1], roi[3]);
    if (roi[2] > roi[4]) std::swap(roi[2], roi[4]);
  }
  return rois;
}

test::Op pooling(const Tensor& rois, const RoiAlignParams& params) {
  return [rois, params](const std::vector<Tensor>& maps) {
    return roi_align(maps, copy_to(rois, maps.front().device()), params);
  };
}

std::vector<Tensor> widened(const std::vector<Tensor>& maps) {
  std::vector<Tensor> wide;
  for (const Tensor& map : maps) wide.push_back(cast(map, DType::kF64));
  return wide;
}

// Two levels, for RoIs in an image of 124 x 100 pixels.
RoiAlignParams two_levels(int64_t ratio) {
  return {.pooled_height = 3,
          .pooled_width = 5,
          .sampling_ratio = ratio,
          .aligned = ratio == 3,
          .scales = {0.25F, 0.125F},
          .canonical_scale = 60,
          .canonical_level = 3};
}

std::vector<Tensor> two_maps(int64_t channels) {
  return {random_tensor({2, 25, 31, channels}, 3), random_tensor({2, 13, 16, channels}, 4)};
}

TEST_CASE("Matches torchvision: aligned or not, sampling fixed or adaptive") {
  const test::GoldenFile file("roi_align_backward.safetensors");
  const Tensor rois = file.golden("rois");
  const Tensor grad_output = file.golden("grad_output");
  for (const bool aligned : {false, true}) {
    for (const int64_t ratio : {0, 2, 3}) {
      const std::string name = std::string("grad_input/aligned") + (aligned ? "1" : "0") +
                               "_ratio" + std::to_string(ratio);
      CAPTURE(name);
      const Tensor expected = file.golden(name);
      const test::Op op = pooling(rois, {.pooled_height = 3,
                                         .pooled_width = 4,
                                         .sampling_ratio = ratio,
                                         .aligned = aligned,
                                         .scales = {0.25F}});
      const Tensor map = Tensor::zeros(expected.shape());
      const Tensor f32 = op_gradients(op, {map}, grad_output).front();
      CHECK(test::count_far(f32, expected, 0, 2e-6F) == 0);
      const Tensor f64 =
          op_gradients(op, {cast(map, DType::kF64)}, cast(grad_output, DType::kF64)).front();
      // The reference's positions are rounded to f32.
      CHECK(test::count_far(f64, expected, 0, 1e-5F) == 0);
    }
  }
}

TEST_CASE("Gradients match finite differences") {
  for (const int64_t ratio : {0, 2, 3}) {
    CAPTURE(ratio);
    test::check_gradients(pooling(random_rois(9, 2, 120, 5), two_levels(ratio)),
                          widened(two_maps(3)));
  }
}

TEST_CASE("f32 agrees with f64: channel counts around the vector width") {
  for (const int64_t channels : {1, 15, 16, 17, 64, 129}) {
    CAPTURE(channels);
    const std::vector<Tensor> maps = two_maps(channels);
    for (const int64_t ratio : {0, 2, 3}) {
      const test::Op op = pooling(random_rois(41, 2, 120, 5), two_levels(ratio));
      const Tensor grad_output = random_tensor({41, 3, 5, channels}, 6);
      const std::vector<Tensor> f32 = op_gradients(op, maps, grad_output);
      const std::vector<Tensor> f64 =
          op_gradients(op, widened(maps), cast(grad_output, DType::kF64));
      for (size_t i = 0; i < maps.size(); ++i) {
        // Sums of up to 41 RoIs; positions are rounded to f32, 2e-6 of a pixel at 30.
        CHECK(test::count_far(f32[i], cast(f64[i], DType::kF32), 1e-5F, 2e-5F) == 0);
      }
    }
  }
}

TEST_CASE("Only maps that need a gradient get one") {
  std::vector<Tensor> maps = two_maps(4);
  maps[1].require_grad();
  const Tensor output = pooling(random_rois(12, 2, 120, 7), two_levels(2))(maps);
  backward_from(output, random_tensor(output.shape(), 8));
  CHECK(maps[1].grad().shape() == maps[1].shape());
  const NoGradGuard no_grad;
  CHECK_FALSE(pooling(random_rois(12, 2, 120, 7), two_levels(2))(maps).requires_grad());
}

TEST_CASE("Does not depend on the number of threads") {
  const std::vector<Tensor> maps = two_maps(20);
  const test::Op op = pooling(random_rois(200, 2, 120, 9), two_levels(2));
  const Tensor grad_output = random_tensor({200, 3, 5, 20}, 10);
  const int threads = num_threads();
  set_num_threads(1);
  const std::vector<Tensor> one = op_gradients(op, maps, grad_output);
  set_num_threads(4);
  const std::vector<Tensor> four = op_gradients(op, maps, grad_output);
  set_num_threads(threads);
  for (size_t i = 0; i < maps.size(); ++i) {
    CHECK(test::count_different_bits(four[i], one[i]) == 0);
  }
}

TEST_CASE("Edges: no RoIs, NaN, outside, huge, turned around") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor map = random_tensor<double>({1, 6, 7, 2}, 11);
  const auto sum = [&](const Tensor& rois, const RoiAlignParams& params) {
    const test::Op op = pooling(rois, params);
    const Tensor grad_output = Tensor::zeros(op({map}).shape(), DType::kF64);
    fill_(grad_output, 1);
    const Tensor f64 = op_gradients(op, {map}, grad_output).front();
    const Tensor f32 =
        op_gradients(op, {cast(map, DType::kF32)}, cast(grad_output, DType::kF32)).front();
    CHECK(test::count_far(f32, cast(f64, DType::kF32), 1e-5F, 1e-5F) == 0);
    double total = 0;
    for (const double value : f64.span<const double>()) total += value;
    return total;
  };
  for (const int64_t ratio : {0, 2}) {
    CAPTURE(ratio);
    RoiAlignParams params{
        .pooled_height = 2, .pooled_width = 3, .sampling_ratio = ratio, .scales = {1}};
    CHECK(sum(Tensor::empty({0, 5}), params) == 0);
    const std::vector<float> nothing{-1, 1,  1,  5,  5,  0, nan,    1,      5,     5,
                                     0,  90, 90, 99, 99, 0, -1e30F, -1e30F, 1e30F, 1e30F};
    CHECK(sum(Tensor::from(nothing, {4, 5}), params) == 0);
    // Every bin's samples are inside, so what the bins were given arrives: 2 * 3 bins, 2 channels.
    CHECK(sum(Tensor::from(std::vector<float>{0, 1, 1, 5.5F, 4}, {1, 5}), params) ==
          doctest::Approx(12));
    params.aligned = true;
    const double turned = ratio == 0 ? 0 : 12;  // adaptive sampling takes no samples of it
    CHECK(sum(Tensor::from(std::vector<float>{0, 5, 4, 2, 1}, {1, 5}), params) ==
          doctest::Approx(turned));
  }
}

TEST_CASE("CUDA gradients match the CPU's: channel counts around packs, edges of tiles") {
  test::on_cuda([](Device device) {
    for (const int64_t channels : {1, 7, 8, 40}) {
      CAPTURE(channels);
      for (const int64_t ratio : {0, 2, 3}) {
        // f32 has the CPU's bits. bf16 rounds a sum of about ten RoIs once.
        test::check_cuda_gradients(pooling(random_rois(10, 2, 120, 12), two_levels(ratio)),
                                   two_maps(channels), device, {.bf16_absolute = 1e-6F});
      }
    }
  });
}

TEST_CASE("CUDA gradients match the CPU's: more RoIs and channels than a block holds at a time") {
  test::on_cuda(
      [](Device device) {
        const std::vector<Tensor> map{random_tensor({1, 5, 9, 264}, 13)};
        test::check_cuda_gradients(pooling(random_rois(4, 1, 9, 14),
                                           {.pooled_height = 2, .pooled_width = 2, .scales = {1}}),
                                   map, device, {.bf16_absolute = 1e-6F});
        const std::vector<Tensor> narrow{random_tensor({1, 5, 9, 8}, 13)};
        test::check_cuda_gradients(
            pooling(random_rois(259, 1, 9, 15),
                    {.pooled_height = 1, .pooled_width = 2, .sampling_ratio = 1, .scales = {1}}),
            narrow, device, {.bf16_absolute = 1e-6F});
      },
      3);
}

TEST_CASE("CUDA: forward and backward in one captured graph") {
  test::on_cuda([](Device device) {
    const std::vector<Tensor> maps = two_maps(8);
    const Tensor rois = random_rois(6, 2, 120, 20);
    const Tensor grad_output = random_tensor({6, 3, 5, 8}, 21);
    const std::vector<Tensor> expected =
        op_gradients(pooling(rois, two_levels(2)), maps, grad_output);
    const std::vector<Tensor> there{copy_to(maps[0], device), copy_to(maps[1], device)};
    const Tensor rois_there = copy_to(rois, device);
    const Tensor grad_there = copy_to(grad_output, device);
    const Tensor gradient = test::replayed(device, [&] {
      return op_gradients(pooling(rois_there, two_levels(2)), there, grad_there)[0];
    });
    CHECK(test::count_different_bits(gradient, expected[0]) == 0);
  });
}

TEST_CASE("CUDA: RoIs of no image, NaN and huge ones, no RoIs, one map of two, too many bins") {
  test::on_cuda([](Device device) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Tensor map = random_tensor({2, 6, 7, 8}, 16);
    const Tensor rois =
        Tensor::from(std::vector<float>{2, 1, 1, 5,      5,      -1,    1,     1, 5, 5, 0, nan, 1,
                                        5, 5, 0, -1e30F, -1e30F, 1e30F, 1e30F, 1, 1, 2, 5, 5},
                     {5, 5});
    const Tensor last = rois.slice(4, 5);
    const RoiAlignParams params{.pooled_height = 2, .pooled_width = 2, .scales = {1}};
    const Tensor grad_output = random_tensor({5, 2, 2, 8}, 17);
    const Tensor expected =
        op_gradients(pooling(last, params), {map}, grad_output.slice(4, 5)).front();
    const Tensor on_device = copy_to(map, device);
    const Tensor gradient =
        op_gradients(pooling(rois, params), {on_device}, copy_to(grad_output, device)).front();
    CHECK(test::count_different_bits(gradient, expected) == 0);

    const Tensor none = Tensor::empty({0, 2, 2, 8}, DType::kF32, device);
    CHECK(test::count_different_bits(
              op_gradients(pooling(Tensor::empty({0, 5}), params), {on_device}, none).front(),
              Tensor::zeros(map.shape())) == 0);

    std::vector<Tensor> maps{copy_to(two_maps(8)[0], device), copy_to(two_maps(8)[1], device)};
    maps[1].require_grad();
    const Tensor output = pooling(random_rois(6, 2, 120, 18), two_levels(2))(maps);
    backward_from(output, copy_to(random_tensor(output.shape(), 19), device));
    CHECK(maps[1].grad().shape() == maps[1].shape());
    CHECK_THROWS_WITH_AS(roi_align(maps, copy_to(random_rois(1, 1, 9, 1), device),
                                   {.pooled_height = 513, .scales = {0.25F, 0.125F}}),
                         doctest::Contains("larger than the 512 bins"), ShapeError);
  });
}

}  // namespace
}  // namespace mrcnn
