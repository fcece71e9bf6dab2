#include "kernels/detection/mask_bits.h"

#include <doctest/doctest.h>

#include <cmath>
#include <utility>

#include "core/device_memory.h"
#include "core/error.h"
#include "core/graph.h"
#include "core/primitives.h"
#include "kernels/detection/mask_paste.h"
#include "tests/kernels/detection/mask_test_tools.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

// Pixels, padding included, whose bit is not that of the pasted map.
int64_t count_mismatches(const Tensor& bits, const Tensor& probs, const Tensor& boxes,
                         int64_t height, int64_t width, const MaskThreshold& params) {
  const int64_t words = (width + 31) / 32;
  REQUIRE(bits.shape() == Shape{boxes.size(0), height, words});
  int64_t mismatches = 0;
  for (int64_t i = 0; i < boxes.size(0); ++i) {
    const Tensor canvas =
        paste_mask(probs.slice(i, i + 1).reshape({probs.size(1), probs.size(2)}),
                   boxes.slice(i, i + 1).reshape({4}), height, width, params.extra_pixel);
    for (int64_t y = 0; y < height; ++y) {
      const int32_t* row = bits.data<const int32_t>() + (i * height + y) * words;
      for (int64_t x = 0; x < words * 32; ++x) {
        const bool expected =
            x < width && canvas.data<const float>()[y * width + x] > params.threshold;
        const bool actual = (static_cast<uint32_t>(row[x / 32]) >> (x % 32) & 1U) != 0;
        if (actual != expected) ++mismatches;
      }
    }
  }
  return mismatches;
}

TEST_CASE("Rejects inputs that do not fit") {
  const Tensor probs = random_tensor({2, 28, 28}, 1);
  CHECK_THROWS_WITH_AS(mask_bits(probs, Tensor::zeros({3, 4}), 9, 9),
                       doctest::Contains("[mask_bits] probs must be [D,M,M]"), ShapeError);
  CHECK_THROWS_AS(mask_bits(probs, Tensor::zeros({2, 4}), -9, 9), ShapeError);
  CHECK_THROWS_AS(mask_bits(probs, Tensor::zeros({2, 4}), 9, 9, {.threshold = -1}), ShapeError);
}

TEST_CASE("Each bit is the pasted map's pixel above the threshold") {
  for (const int64_t width : {1, 31, 32, 33, 90}) {
    CAPTURE(width);
    const Tensor boxes = test::random_boxes(200, 40, width, 2);
    const Tensor probs = random_tensor({200, 28, 28}, 3, 0, 1);
    CHECK(count_mismatches(mask_bits(probs, boxes, 40, width), probs, boxes, 40, width, {}) == 0);
    const MaskThreshold params{.threshold = 0.2F, .extra_pixel = 0};
    CHECK(count_mismatches(mask_bits(probs, boxes, 40, width, params), probs, boxes, 40, width,
                           params) == 0);
  }
}

TEST_CASE("CUDA gives the CPU's bits at word, warp and tile edges") {
  test::on_cuda([](Device device) {
    // A block writes 256 columns of 32 rows.
    for (const auto& [height, width] :
         {std::pair<int64_t, int64_t>{33, 31}, {5, 32}, {31, 33}, {2, 257}}) {
      const Tensor boxes = test::edge_boxes(height, width);
      Tensor probs = test::blob_masks(boxes.size(0), 9, 4);
      for (int64_t i = 0; i < probs.numel(); i += 11) probs.data<float>()[i] = std::nanf("");
      for (const int64_t extra_pixel : {0, 1}) {
        const MaskThreshold params{.threshold = 0.4F, .extra_pixel = extra_pixel};
        const Tensor bits =
            mask_bits(copy_to(probs, device), copy_to(boxes, device), height, width, params);
        CHECK(test::count_different_bits(bits, mask_bits(probs, boxes, height, width, params)) ==
              0);
      }
    }
  });
}

TEST_CASE("CUDA: a captured graph pastes what its inputs hold when it is replayed") {
  test::on_cuda([](Device device) {
    const Tensor boxes = test::random_boxes(3, 20, 40, 6),
                 others = test::random_boxes(3, 20, 40, 7);
    const Tensor probs = test::blob_masks(3, 9, 8);
    const Tensor device_probs = copy_to(probs, device), device_boxes = copy_to(boxes, device);
    MemoryArena arena(device);
    CapturedGraph graph(device, arena);
    const Tensor bits =
        graph.capture([&] { return mask_bits(device_probs, device_boxes, 20, 40); });
    upload_bytes(device_boxes.raw(), device, others.raw(), others.bytes());
    graph.replay();
    CHECK(test::count_different_bits(bits, mask_bits(probs, others, 20, 40)) == 0);
  });
}

TEST_CASE("CUDA edges: no masks, empty images") {
  test::on_cuda([](Device device) {
    const auto empty = [&](const Shape& shape) {
      return Tensor::empty(shape, DType::kF32, device);
    };
    CHECK(mask_bits(empty({0, 28, 28}), empty({0, 4}), 9, 9).shape() == Shape{0, 9, 1});
    CHECK(mask_bits(empty({2, 28, 28}), empty({2, 4}), 0, 9).shape() == Shape{2, 0, 1});
    CHECK(mask_bits(empty({2, 28, 28}), empty({2, 4}), 9, 0).shape() == Shape{2, 9, 0});
  });
}

TEST_CASE("Edges: boxes of every kind, NaN, no masks, empty images") {
  const Tensor boxes = test::edge_boxes(20, 37);
  Tensor probs = random_tensor({boxes.size(0), 28, 28}, 5, 0, 1);
  for (int64_t i = 0; i < probs.numel(); i += 5) probs.data<float>()[i] = std::nanf("");
  CHECK(count_mismatches(mask_bits(probs, boxes, 20, 37), probs, boxes, 20, 37, {}) == 0);
  CHECK(mask_bits(Tensor::empty({0, 28, 28}), Tensor::empty({0, 4}), 9, 9).numel() == 0);
  CHECK(mask_bits(probs, boxes, 0, 9).numel() == 0);
}

}  // namespace
}  // namespace mrcnn
