#include "kernels/detection/gather_detections.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "core/device_memory.h"
#include "core/error.h"
#include "core/graph.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::count_different_bits;
using test::random_tensor;

Candidates random_candidates(int64_t images, int64_t size) {
  Candidates candidates{.boxes = random_tensor({images, size, 4}, 1, 0, 100),
                        .scores = random_tensor({images, size}, 2, 0, 1),
                        .labels = Tensor::empty({images, size}, DType::kI32),
                        .count = Tensor::empty({images}, DType::kI32)};
  int32_t label = 0;
  for (int32_t& value : candidates.labels.span<int32_t>()) value = 1 + label++ % 90;
  fill_(candidates.count, static_cast<double>(size));
  return candidates;
}

// Keeps every third candidate, from the last one on; `counts` of them are in use.
NmsResult keep_some(int64_t size, int64_t capacity, const std::vector<int32_t>& counts) {
  const auto images = static_cast<int64_t>(counts.size());
  NmsResult kept{.keep = Tensor::zeros({images, capacity}, DType::kI32),
                 .count = Tensor::from(counts, {images})};
  for (int64_t n = 0; n < images; ++n) {
    for (int64_t i = 0; i < counts[static_cast<size_t>(n)]; ++i) {
      kept.keep.data<int32_t>()[n * capacity + i] =
          static_cast<int32_t>((size - 1 - 3 * i % size + size) % size);
    }
  }
  return kept;
}

Candidates on_device(const Candidates& c, Device device) {
  return {.boxes = copy_to(c.boxes, device),
          .scores = copy_to(c.scores, device),
          .labels = copy_to(c.labels, device),
          .count = copy_to(c.count, device)};
}

NmsResult on_device(const NmsResult& kept, Device device) {
  return {.keep = copy_to(kept.keep, device), .count = copy_to(kept.count, device)};
}

void check_same(const Detections& actual, const Detections& expected) {
  CHECK(count_different_bits(actual.boxes, expected.boxes) == 0);
  CHECK(count_different_bits(actual.scores, expected.scores) == 0);
  CHECK(count_different_bits(actual.labels, expected.labels) == 0);
  CHECK(count_different_bits(actual.count, expected.count) == 0);
  CHECK(count_different_bits(actual.rois, expected.rois) == 0);
}

TEST_CASE("Rejects inputs that do not fit") {
  const Candidates candidates = random_candidates(2, 5);
  NmsResult kept = keep_some(5, 4, {4, 1});
  kept.keep.data<int32_t>()[2] = 5;
  CHECK_THROWS_WITH_AS(gather_detections(candidates, kept),
                       doctest::Contains("keep 5 is not in 0..4"), ShapeError);
  kept.count.data<int32_t>()[0] = 6;
  CHECK_THROWS_WITH_AS(gather_detections(candidates, kept),
                       doctest::Contains("count 6 is not in 0..4"), ShapeError);
  CHECK_THROWS_WITH_AS(gather_detections(random_candidates(3, 5), kept),
                       doctest::Contains("keep must be [N,D]"), ShapeError);
  CHECK_THROWS_WITH_AS(proposal_rois(candidates.boxes, Tensor::zeros({2})),
                       doctest::Contains("count must be i32"), DTypeError);
  CHECK_THROWS_WITH_AS(proposal_rois(candidates.scores, kept.count),
                       doctest::Contains("boxes must be [N,P,4]"), ShapeError);
  CHECK_THROWS_WITH_AS(proposal_rois(candidates.boxes, kept.count),
                       doctest::Contains("[proposal_rois] count 6 is not in 0..5"), ShapeError);
}

TEST_CASE("Takes what was kept, in its order, and fills up with nothing") {
  const Candidates candidates = random_candidates(2, 40);
  const NmsResult kept = keep_some(40, 6, {4, 0});
  const Detections found = gather_detections(candidates, kept);
  REQUIRE(found.boxes.shape() == Shape{2, 6, 4});
  REQUIRE(found.labels.dtype() == DType::kI64);
  REQUIRE(found.rois.shape() == Shape{12, 5});
  for (int64_t slot = 0; slot < 12; ++slot) {
    const bool used = slot < 4;
    const int64_t source = used ? kept.keep.data<const int32_t>()[slot] : 0;
    const float* box = found.boxes.data<const float>() + 4 * slot;
    const float* roi = found.rois.data<const float>() + 5 * slot;
    CHECK(roi[0] == (used ? 0.0F : -1.0F));
    CHECK(std::equal(box, box + 4, roi + 1));
    for (int64_t i = 0; i < 4; ++i) {
      CHECK(box[i] == (used ? candidates.boxes.data<const float>()[4 * source + i] : 0.0F));
    }
    CHECK(found.scores.data<const float>()[slot] ==
          (used ? candidates.scores.data<const float>()[source] : 0.0F));
    CHECK(found.labels.data<const int64_t>()[slot] ==
          (used ? candidates.labels.data<const int32_t>()[source] : 0));
  }
}

TEST_CASE("Proposals become RoIs of their image") {
  const Tensor boxes = random_tensor({2, 3, 4}, 4, 0, 50);
  const Tensor rois = proposal_rois(boxes, Tensor::from(std::vector<int32_t>{3, 1}, {2}));
  REQUIRE(rois.shape() == Shape{6, 5});
  const float* roi = rois.data<const float>();
  for (int64_t i = 0; i < 6; ++i, roi += 5) {
    CHECK(roi[0] == (i < 3 ? 0.0F : i == 3 ? 1.0F : -1.0F));
    for (int64_t j = 0; j < 4; ++j) {
      CHECK(roi[1 + j] == (i <= 3 ? boxes.data<const float>()[4 * i + j] : 0.0F));
    }
  }
}

TEST_CASE("CUDA matches the CPU at warp and block edges") {
  test::on_cuda([](Device device) {
    for (const int32_t capacity : {1, 31, 33, 129}) {
      CAPTURE(capacity);
      const Candidates candidates = random_candidates(3, 200);
      const NmsResult kept = keep_some(200, capacity, {capacity, capacity / 2, 0});
      check_same(gather_detections(on_device(candidates, device), on_device(kept, device)),
                 gather_detections(candidates, kept));
      const Tensor boxes = random_tensor({3, capacity, 4}, 4, 0, 50);
      CHECK(count_different_bits(proposal_rois(copy_to(boxes, device), copy_to(kept.count, device)),
                                 proposal_rois(boxes, kept.count)) == 0);
    }
  });
}

TEST_CASE("CUDA clamps what it cannot refuse") {
  test::on_cuda([](Device device) {
    const Candidates candidates = random_candidates(2, 7);
    NmsResult kept = keep_some(7, 5, {5, 0});
    const Detections expected = gather_detections(candidates, kept);
    kept.count.data<int32_t>()[0] = 1000;
    kept.count.data<int32_t>()[1] = -3;
    const Detections found =
        gather_detections(on_device(candidates, device), on_device(kept, device));
    CHECK(count_different_bits(found.boxes, expected.boxes) == 0);
    CHECK(count_different_bits(found.rois, expected.rois) == 0);
    kept.keep.data<int32_t>()[0] = 1 << 30;
    kept.keep.data<int32_t>()[1] = -1;
    gather_detections(on_device(candidates, device), on_device(kept, device));
  });
}

TEST_CASE("CUDA can be captured and replayed") {
  test::on_cuda([](Device device) {
    const Candidates candidates = random_candidates(1, 50);
    const Candidates input = on_device(candidates, device);
    const NmsResult kept = on_device(keep_some(50, 9, {9}), device);
    MemoryArena arena(device);
    CapturedGraph graph(device, arena);
    const auto captured = graph.capture([&] {
      return std::pair{gather_detections(input, kept), proposal_rois(input.boxes, input.count)};
    });
    const NmsResult other = keep_some(50, 9, {3});
    upload_bytes(kept.count.raw(), device, other.count.raw(), other.count.bytes());
    graph.replay();
    check_same(captured.first, gather_detections(candidates, other));
    CHECK(count_different_bits(captured.second,
                               proposal_rois(candidates.boxes, candidates.count)) == 0);
  });
}

void check_edges(Device device) {
  const NmsResult none = on_device(keep_some(5, 4, {}), device);
  CHECK(gather_detections(on_device(random_candidates(0, 5), device), none).boxes.shape() ==
        Shape{0, 4, 4});
  const NmsResult empty = on_device(keep_some(5, 0, {0, 0}), device);
  const Candidates without = on_device(random_candidates(2, 0), device);
  CHECK(gather_detections(without, empty).rois.shape() == Shape{0, 5});
  CHECK(proposal_rois(without.boxes, empty.count).shape() == Shape{0, 5});
  // A list may be wider than there are candidates.
  const NmsResult wide = on_device(keep_some(5, 3, {0, 0}), device);
  const Detections found = gather_detections(without, wide);
  CHECK(copy_to(found.rois, Device{}).data<const float>()[5] == -1);
}

TEST_CASE("Edges: no images, no candidates, nothing wanted") { check_edges(Device{}); }

TEST_CASE("CUDA edges: no images, no candidates, nothing wanted") { test::on_cuda(check_edges); }

}  // namespace
}  // namespace mrcnn
