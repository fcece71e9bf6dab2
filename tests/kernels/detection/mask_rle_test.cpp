#include "kernels/detection/mask_rle.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "core/device_memory.h"
#include "core/error.h"
#include "core/graph.h"
#include "core/primitives.h"
#include "core/stream.h"
#include "kernels/detection/mask_paste.h"
#include "tests/kernels/detection/mask_test_tools.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::blob_masks;
using test::edge_boxes;
using test::random_boxes;
using test::random_tensor;

// COCO's encoding of canvas > threshold, pixel by pixel.
Rle encode(const Tensor& canvas, float threshold) {
  Rle rle{.height = canvas.size(0), .width = canvas.size(1), .counts = {}};
  bool value = false;
  uint32_t run = 0;
  for (int64_t x = 0; x < rle.width; ++x) {
    for (int64_t y = 0; y < rle.height; ++y) {
      const bool pixel = canvas.data<const float>()[y * rle.width + x] > threshold;
      if (pixel != value) {
        rle.counts.push_back(run);
        run = 0;
        value = pixel;
      }
      ++run;
    }
  }
  rle.counts.push_back(run);
  return rle;
}

// Number of boxes whose run lengths are not those of the pasted bitmap.
int64_t count_mismatches(const Tensor& probs, const Tensor& boxes, int64_t height, int64_t width,
                         const MaskThreshold& params) {
  const std::vector<Rle> encoded = masks_to_rle(probs, boxes, height, width, params);
  int64_t mismatches = 0;
  for (int64_t i = 0; i < boxes.size(0); ++i) {
    const Tensor canvas =
        paste_mask(probs.slice(i, i + 1).reshape({probs.size(1), probs.size(2)}),
                   boxes.slice(i, i + 1).reshape({4}), height, width, params.extra_pixel);
    if (encoded[static_cast<size_t>(i)] != encode(canvas, params.threshold)) ++mismatches;
  }
  return mismatches;
}

TEST_CASE("Rejects inputs that do not fit") {
  const Tensor boxes = random_boxes(2, 9, 9, 1);
  const Tensor probs = random_tensor({2, 28, 28}, 1, 0, 1);
  CHECK_THROWS_WITH_AS(masks_to_rle(probs, random_boxes(3, 9, 9, 1), 9, 9),
                       doctest::Contains("probs must be [D,M,M]"), ShapeError);
  CHECK_THROWS_WITH_AS(masks_to_rle(random_tensor({2, 28, 27}, 1), boxes, 9, 9),
                       doctest::Contains("[D,M,M]"), ShapeError);
  CHECK_THROWS_WITH_AS(masks_to_rle(probs, boxes, 70000, 70000), doctest::Contains("cannot encode"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(masks_to_rle(probs, boxes, 9, -1), doctest::Contains("cannot encode"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(masks_to_rle(probs, boxes, 9, 9, {.threshold = -1}),
                       doctest::Contains("negative"), ShapeError);
}

TEST_CASE("Equals the encoding of the pasted bitmap on 10,000 boxes, also past the border") {
  CHECK(count_mismatches(random_tensor({4000, 28, 28}, 2, 0, 1), random_boxes(4000, 70, 90, 3), 70,
                         90, {}) == 0);
  CHECK(count_mismatches(blob_masks(4000, 28, 4), random_boxes(4000, 70, 90, 5), 70, 90,
                         {.extra_pixel = 0}) == 0);
  CHECK(count_mismatches(blob_masks(1000, 28, 6), random_boxes(1000, 311, 203, 7), 311, 203,
                         {.threshold = 0.3F}) == 0);
  CHECK(count_mismatches(random_tensor({1000, 14, 14}, 8, 0, 1), random_boxes(1000, 5, 7, 9), 5, 7,
                         {}) == 0);
}

TEST_CASE("Equals the encoding where rounding decides: plateaus at and around the threshold") {
  // Cells of 0.5 and its neighbours in f32, ones and zeros: ties everywhere.
  Tensor probs = random_tensor({500, 28, 28}, 10, 0, 5);
  const float below = std::nextafter(0.5F, 0.0F);
  const float above = std::nextafter(0.5F, 1.0F);
  const std::vector<float> levels{0, below, 0.5F, above, 1};
  for (float& value : probs.span<float>()) value = levels[static_cast<size_t>(value)];
  CHECK(count_mismatches(probs, random_boxes(500, 120, 90, 11), 120, 90, {}) == 0);
  CHECK(count_mismatches(probs, random_boxes(500, 120, 90, 12), 120, 90, {.threshold = 0}) == 0);
  fill_(probs, 1);
  CHECK(count_mismatches(probs, random_boxes(500, 120, 90, 13), 120, 90, {}) == 0);
}

TEST_CASE("Runs are canonical and add up") {
  const std::vector<Rle> encoded =
      masks_to_rle(random_tensor({200, 28, 28}, 14, 0, 1), random_boxes(200, 64, 48, 15), 64, 48);
  for (const Rle& rle : encoded) {
    CHECK(std::accumulate(rle.counts.begin(), rle.counts.end(), int64_t{0}) == 64 * 48);
    for (size_t i = 1; i < rle.counts.size(); ++i) CHECK(rle.counts[i] > 0);
  }
}

MaskRuns on_host(const MaskRuns& runs) {
  return {.counts = copy_to(runs.counts, Device{}), .starts = copy_to(runs.starts, Device{})};
}

TEST_CASE("CUDA gives the CPU's runs at warp and block edges") {
  test::on_cuda([](Device device) {
    // A block takes 128 columns and 32 rows at a time.
    for (const auto& [height, width] : {std::pair<int64_t, int64_t>{33, 31}, {1, 130}, {65, 7}}) {
      for (const int64_t extra_pixel : {0, 1}) {
        const Tensor boxes = edge_boxes(height, width);
        const Tensor probs = blob_masks(boxes.size(0), 9, 17);
        const MaskThreshold params{.threshold = 0.3F, .extra_pixel = extra_pixel};
        CHECK(masks_to_rle(copy_to(probs, device), copy_to(boxes, device), height, width, params) ==
              masks_to_rle(probs, boxes, height, width, params));
      }
    }
  });
}

TEST_CASE("CUDA gives the CPU's runs where rounding decides, and for NaN") {
  test::on_cuda([](Device device) {
    const Tensor boxes = random_boxes(5, 40, 33, 18);
    Tensor probs = random_tensor({5, 6, 6}, 19, 0, 6);
    const std::vector<float> levels{
        0, std::nextafter(0.5F, 0.0F), 0.5F, std::nextafter(0.5F, 1.0F), 1, std::nanf("")};
    for (float& value : probs.span<float>()) value = levels[static_cast<size_t>(value)];
    CHECK(masks_to_rle(copy_to(probs, device), copy_to(boxes, device), 40, 33) ==
          masks_to_rle(probs, boxes, 40, 33));
  });
}

TEST_CASE("CUDA encodes more runs than there was room for") {
  test::on_cuda([](Device device) {
    const Tensor box = Tensor::from(std::vector<float>{-2, -2, 20, 50}, {1, 4});
    const Tensor probs = random_tensor({1, 28, 28}, 20, 0, 1);
    const MaskRuns runs =
        on_host(queue_mask_runs(copy_to(probs, device), copy_to(box, device), 48, 18));
    CHECK_FALSE(runs_to_rle(runs, 48, 18).has_value());
    CHECK(masks_to_rle(copy_to(probs, device), copy_to(box, device), 48, 18) ==
          masks_to_rle(probs, box, 48, 18));
  });
}

TEST_CASE("CUDA: a captured graph encodes what its inputs hold when it is replayed") {
  test::on_cuda([](Device device) {
    const Tensor boxes = random_boxes(3, 20, 40, 21), others = random_boxes(3, 20, 40, 22);
    const Tensor probs = blob_masks(3, 9, 23);
    const Tensor device_probs = copy_to(probs, device), device_boxes = copy_to(boxes, device);
    MemoryArena arena(device);
    CapturedGraph graph(device, arena);
    const MaskRuns runs =
        graph.capture([&] { return queue_mask_runs(device_probs, device_boxes, 20, 40); });
    upload_bytes(device_boxes.raw(), device, others.raw(), others.bytes());
    graph.replay();
    CHECK(runs_to_rle(on_host(runs), 20, 40) == masks_to_rle(probs, others, 20, 40));
  });
}

TEST_CASE("CUDA edges: no masks, empty and full images, one wait") {
  test::on_cuda([](Device device) {
    const auto empty = [&](const Shape& shape) {
      return Tensor::empty(shape, DType::kF32, device);
    };
    CHECK(masks_to_rle(empty({0, 28, 28}), empty({0, 4}), 9, 9).empty());
    const MaskRuns none = on_host(queue_mask_runs(empty({0, 28, 28}), empty({0, 4}), 9, 9));
    CHECK(runs_to_rle(none, 9, 9)->empty());
    Tensor ones = Tensor::empty({1, 28, 28});
    fill_(ones, 1);
    ones = copy_to(ones, device);
    const Tensor box = copy_to(Tensor::from(std::vector<float>{-90, -90, 99, 99}, {1, 4}), device);
    const int64_t syncs = device_counters().syncs;
    CHECK(masks_to_rle(ones, box, 9, 8)[0].counts == std::vector<uint32_t>{0, 72});
    CHECK(device_counters().syncs == syncs + 1);
    CHECK(masks_to_rle(ones, box, 0, 8)[0].counts == std::vector<uint32_t>{0});
    CHECK(masks_to_rle(ones, box, 8, 0)[0].counts == std::vector<uint32_t>{0});
    CHECK_THROWS_WITH_AS(masks_to_rle(ones, box, 65536, 32768), doctest::Contains("on a GPU"),
                         ShapeError);
    CHECK_THROWS_AS(masks_to_rle(ones, copy_to(box, Device{}), 9, 8), DeviceError);
  });
}

TEST_CASE("Edges: no masks, empty image, full image, nothing inside, NaN") {
  CHECK(masks_to_rle(Tensor::empty({0, 28, 28}), Tensor::empty({0, 4}), 9, 9).empty());

  Tensor ones = Tensor::empty({1, 28, 28});
  fill_(ones, 1);
  const Tensor box = Tensor::from(std::vector<float>{-90, -90, 99, 99}, {1, 4});
  CHECK(masks_to_rle(ones, box, 9, 8)[0].counts == std::vector<uint32_t>{0, 72});
  CHECK(masks_to_rle(ones, box, 0, 8)[0].counts == std::vector<uint32_t>{0});
  CHECK(masks_to_rle(Tensor::zeros({1, 28, 28}), box, 9, 8)[0].counts == std::vector<uint32_t>{72});

  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor lost = Tensor::from(std::vector<float>{nan, 0, 5, 5}, {1, 4});
  CHECK(masks_to_rle(ones, lost, 9, 8)[0].counts == std::vector<uint32_t>{72});
  Tensor holes = random_tensor({1, 28, 28}, 16, 0, 1);
  for (int64_t i = 0; i < 784; i += 5) holes.data<float>()[i] = nan;
  CHECK(count_mismatches(holes, box, 90, 80, {}) == 0);
}

}  // namespace
}  // namespace mrcnn
