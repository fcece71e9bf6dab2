#include "kernels/detection/mask_targets.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "core/primitives.h"
#include "kernels/detection/roi_align.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/golden.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"

namespace mrcnn {
namespace {

using Masks = std::vector<std::vector<Rle>>;

Rle filled(int64_t height, int64_t width) {
  return {height, width, {0, static_cast<uint32_t>(height * width)}};
}

// Runs of about `length` pixels, so several a column.
Rle random_mask(int64_t height, int64_t width, double length, uint64_t seed) {
  const Tensor lengths = test::random_tensor({height * width}, seed, 1, 2 * length);
  Rle mask{height, width, {}};
  int64_t left = height * width;
  for (int64_t i = 0; left > 0; ++i) {
    const auto run = std::min(left, static_cast<int64_t>(lengths.data<const float>()[i]));
    mask.counts.push_back(static_cast<uint32_t>(run));
    left -= run;
  }
  return mask;
}

Tensor rois_of(const std::vector<float>& values) {
  return Tensor::from(values, {static_cast<int64_t>(values.size()) / 5, 5});
}

Tensor objects_of(const std::vector<int32_t>& values) {
  return Tensor::from(values, {static_cast<int64_t>(values.size())});
}

// Two images of two objects each, mirrored, resized and cut, and RoIs that reach past them.
struct Batch {
  Masks masks{{random_mask(30, 41, 9, 1), random_mask(30, 41, 70, 2)},
              {random_mask(55, 37, 13, 3), random_mask(55, 37, 200, 4)}};
  std::vector<ImagePlacement> placements{
      ImagePlacement{.resized = {72, 98}, .visible = {72, 98}, .flip = true},
      ImagePlacement{
          .resized = {40, 27}, .visible = {31, 20}, .crop_top = 4, .crop_left = 5, .flip = false}};
  Tensor rois;
  Tensor matched_gt;

  explicit Batch(int64_t count) : rois(test::random_tensor({count, 5}, 5, -5, 80)) {
    std::vector<int32_t> objects;
    for (int64_t r = 0; r < count; ++r) {
      float* roi = rois.data<float>() + 5 * r;
      if (roi[1] > roi[3]) std::swap(roi[1], roi[3]);
      if (roi[2] > roi[4]) std::swap(roi[2], roi[4]);
      roi[0] = static_cast<float>(r % 3 - r / 3 % 2);
      objects.push_back(static_cast<int32_t>(r % 4) - 1);
    }
    for (float* index = rois.data<float>(); index < rois.data<float>() + 5 * count; index += 5) {
      *index = std::min(*index, 1.0F);
    }
    matched_gt = objects_of(objects);
  }
};

TEST_CASE("Rejects inputs that do not fit") {
  const ImagePlacement whole = ImagePlacement::whole({4, 5});
  const auto table = [](const Masks& masks, const ImagePlacement& placement, int64_t objects) {
    return make_mask_table(masks, std::vector<ImagePlacement>{placement}, objects);
  };
  CHECK_THROWS_WITH_AS(table({{filled(4, 5)}, {}}, whole, 1),
                       doctest::Contains("as many placements"), ShapeError);
  CHECK_THROWS_WITH_AS(table({{filled(4, 5), filled(4, 5)}}, whole, 1),
                       doctest::Contains("has 2 masks, more than the 1"), ShapeError);
  CHECK_THROWS_WITH_AS(table({{Rle{4, 5, {3, 4}}}}, whole, 1),
                       doctest::Contains("add up to 7, not 4 x 5"), ShapeError);
  CHECK_THROWS_WITH_AS(table({{filled(4, 5), filled(5, 4)}}, whole, 2),
                       doctest::Contains("mask 1 of image 0 is 5 x 4"), ShapeError);
  CHECK_THROWS_WITH_AS(
      table({{filled(4, 5)}}, {.resized = {8, 8}, .visible = {8, 8}, .crop_left = 1}, 1),
      doctest::Contains("cannot be resized to 8 x 8 and cut"), ShapeError);
  const MaskTable masks = table({{filled(4, 5)}}, whole, 1);
  const Tensor rois = rois_of({0, 0, 0, 2, 2});
  CHECK_THROWS_WITH_AS(mask_targets(rois, objects_of({0, 0}), masks),
                       doctest::Contains("matched_gt must be [M]"), ShapeError);
  CHECK_THROWS_WITH_AS(mask_targets(Tensor{}, objects_of({0}), masks),
                       doctest::Contains("rois must be [M,5]"), ShapeError);
  CHECK_THROWS_WITH_AS(mask_targets(rois, objects_of({0}), masks, 0),
                       doctest::Contains("size 0 is not in"), ShapeError);
}

TEST_CASE("Matches torchvision on resized, mirrored and cut bitmaps") {
  const test::GoldenFile file("mask_targets.safetensors");
  const Tensor geometry = file.golden("images");
  const Tensor counts = file.golden("counts");
  const Tensor ends = file.golden("ends");
  const int64_t images = geometry.size(0);
  const int64_t objects = ends.numel() / images;
  Masks masks;
  std::vector<ImagePlacement> placements;
  int32_t begin = 0;
  for (int64_t n = 0; n < images; ++n) {
    const int32_t* g = geometry.data<const int32_t>() + 9 * n;
    placements.push_back({.resized = {g[2], g[3]},
                          .visible = {g[4], g[5]},
                          .crop_top = g[6],
                          .crop_left = g[7],
                          .flip = g[8] != 0});
    masks.emplace_back();
    for (int64_t i = n * objects; i < (n + 1) * objects; ++i) {
      const int32_t end = ends.data<const int32_t>()[i];
      const int32_t* runs = counts.data<const int32_t>();
      masks.back().push_back({g[0], g[1], {runs + begin, runs + end}});
      begin = end;
    }
  }
  const Tensor targets = mask_targets(file.golden("rois"), file.golden("matched_gt"),
                                      make_mask_table(masks, placements, objects));
  const Tensor expected = file.golden("expected");
  // Sums in another order, of positions that are rounded alike.
  CHECK(test::count_far(targets, expected, 0, 2e-6F) == 0);
  const auto values = expected.span<const float>();
  CHECK(std::count_if(values.begin(), values.end(), [](float v) { return v > 0 && v < 1; }) > 2000);
}

TEST_CASE("Equals roi_align of the bitmap: large RoIs, other sizes of targets") {
  const int64_t height = 90;
  const int64_t width = 130;
  const Rle mask = random_mask(height, width, 17, 6);
  const Tensor bitmap = Tensor::zeros({1, height, width, 1});
  int64_t position = 0;
  for (size_t run = 0; run < mask.counts.size(); ++run) {
    for (uint32_t i = 0; i < mask.counts[run]; ++i, ++position) {
      bitmap.data<float>()[position % height * width + position / height] =
          static_cast<float>(run % 2);
    }
  }
  const Tensor rois = rois_of({0, 0,    0,    130, 90,     // whole
                               0, 3,    5,    4,   88,     // thin
                               0, 7,    20,   99,  21,     // flat
                               0, -200, -100, 300, 200,    // past all borders
                               0, 60,   1,    60,  1,      // a point
                               0, 100,  2,    129, 89.5F,  // at the border
                               0, 130,  3,    150, 50});   // just outside
  const Tensor objects = objects_of(std::vector<int32_t>(static_cast<size_t>(rois.size(0)), 0));
  const MaskTable table =
      make_mask_table(Masks{{mask}}, std::vector{ImagePlacement::whole({height, width})}, 1);
  for (const int64_t size : {1, 7, 28, 33}) {
    CAPTURE(size);
    const Tensor expected = roi_align(std::vector<Tensor>{cast(bitmap, DType::kF64)}, rois,
                                      {.pooled_height = size,
                                       .pooled_width = size,
                                       .sampling_ratio = 0,
                                       .aligned = false,
                                       .scales = {1}});
    // Positions are rounded to f32: some 1e-5 of a pixel here, in the sum over a bin's border.
    CHECK(test::count_far(mask_targets(rois, objects, table, size),
                          cast(expected, DType::kF32).reshape({rois.size(0), size, size}), 0,
                          8e-6F) == 0);
  }
}

TEST_CASE("A RoI inside a mask gives ones, unused rows zeros") {
  const MaskTable table =
      make_mask_table(Masks{{filled(40, 40)}, {}},
                      std::vector<ImagePlacement>{{.resized = {80, 80}, .visible = {80, 80}},
                                                  {.resized = {9, 9}, .visible = {9, 9}}},
                      2);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor rois = rois_of({0,  3,  4, 50, 60, -1, 0, 0, 9, 9,   0, 3, 4, 50, 60, 0, 3, 4,
                               50, 60, 1, 0,  0,  5,  5, 0, 0, nan, 9, 9, 2, 0,  0,  5, 5});
  const Tensor targets = mask_targets(rois, objects_of({0, 0, -1, 2, 1, 0, 0}), table);
  for (int64_t i = 0; i < targets.numel(); ++i) {
    REQUIRE(targets.data<const float>()[i] == (i < 28 * 28 ? 1.0F : 0.0F));
  }
}

TEST_CASE("Does not depend on the number of threads") {
  const Batch batch(50);
  const MaskTable table = make_mask_table(batch.masks, batch.placements, 2);
  const int threads = num_threads();
  set_num_threads(1);
  const Tensor one = mask_targets(batch.rois, batch.matched_gt, table);
  set_num_threads(4);
  CHECK(test::count_different_bits(mask_targets(batch.rois, batch.matched_gt, table), one) == 0);
  set_num_threads(threads);
}

TEST_CASE("Edges: no RoIs, no images, no room for objects") {
  const Batch batch(4);
  const MaskTable table = make_mask_table(batch.masks, batch.placements, 2);
  CHECK(mask_targets(Tensor::empty({0, 5}), Tensor::empty({0}, DType::kI32), table).shape() ==
        Shape{0, 28, 28});
  const MaskTable none = make_mask_table(Masks{}, std::vector<ImagePlacement>{}, 3);
  CHECK(mask_targets(rois_of({-1, 0, 0, 1, 1}), objects_of({-1}), none, 2).data<float>()[3] == 0);
}

TEST_CASE("CUDA matches the CPU bit by bit, also for targets higher than a warp") {
  test::on_cuda([](Device device) {
    const Batch batch(9);
    const MaskTable table = make_mask_table(batch.masks, batch.placements, 3);
    const MaskTable on_device = copy_to(table, device);
    for (const int64_t size : {5, 28, 33}) {
      CAPTURE(size);
      const Tensor targets = mask_targets(copy_to(batch.rois, device),
                                          copy_to(batch.matched_gt, device), on_device, size);
      CHECK(targets.device() == device);
      CHECK(test::count_different_bits(
                targets, mask_targets(batch.rois, batch.matched_gt, table, size)) == 0);
    }
    const Tensor rois = copy_to(batch.rois, device);
    const Tensor objects = copy_to(batch.matched_gt, device);
    CHECK(test::count_different_bits(
              test::replayed(device, [&] { return mask_targets(rois, objects, on_device, 5); }),
              mask_targets(batch.rois, batch.matched_gt, table, 5)) == 0);
    CHECK(mask_targets(Tensor::empty({0, 5}, DType::kF32, device),
                       Tensor::empty({0}, DType::kI32, device), on_device)
              .shape() == Shape{0, 28, 28});
  });
}

}  // namespace
}  // namespace mrcnn
