#include "kernels/detection/append_boxes.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/error.h"
#include "core/primitives.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

Tensor counts(const std::vector<int32_t>& values) {
  return Tensor::from(values, {static_cast<int64_t>(values.size())});
}

TEST_CASE("Rejects inputs that do not fit") {
  const Tensor boxes = test::random_tensor({2, 3, 4}, 1);
  const Tensor extra = test::random_tensor({2, 2, 4}, 2);
  CHECK_THROWS_WITH_AS(append_boxes(boxes, counts({3}), extra, counts({1, 1})),
                       doctest::Contains("count must be [N]"), ShapeError);
  CHECK_THROWS_WITH_AS(append_boxes(boxes, counts({3, 4}), extra, counts({1, 1})),
                       doctest::Contains("count has 4, not 0..3"), ShapeError);
  CHECK_THROWS_WITH_AS(append_boxes(boxes, counts({3, 3}), extra, counts({-1, 1})),
                       doctest::Contains("extra_count has -1, not 0..2"), ShapeError);
  CHECK_THROWS_WITH_AS(
      append_boxes(boxes, counts({3, 3}), test::random_tensor({1, 2, 4}, 2), counts({1, 1})),
      doctest::Contains("extra must be [N,G,4]"), ShapeError);
}

TEST_CASE("Valid rows come first: boxes, then extra, then zeros") {
  const Tensor boxes =
      Tensor::from(std::vector<float>{1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4}, {2, 2, 4});
  const Tensor extra = Tensor::from(std::vector<float>{5, 5, 5, 5, 6, 6, 6, 6}, {2, 1, 4});
  const BoxLists lists = append_boxes(boxes, counts({1, 2}), extra, counts({1, 0}));
  const Tensor expected = Tensor::from(
      std::vector<float>{1, 1, 1, 1, 5, 5, 5, 5, 0, 0, 0, 0, 3, 3, 3, 3, 4, 4, 4, 4, 0, 0, 0, 0},
      {2, 3, 4});
  CHECK(test::count_different_bits(lists.boxes, expected) == 0);
  CHECK(test::count_different_bits(lists.count, counts({2, 2})) == 0);
}

TEST_CASE("Edges: no room in either list, no images") {
  const Tensor none = Tensor::empty({1, 0, 4});
  const Tensor one = test::random_tensor({1, 1, 4}, 3);
  CHECK(test::count_different_bits(append_boxes(none, counts({0}), one, counts({1})).boxes, one) ==
        0);
  CHECK(append_boxes(none, counts({0}), none, counts({0})).boxes.shape() == Shape{1, 0, 4});
  CHECK(append_boxes(Tensor::empty({0, 2, 4}), Tensor::empty({0}, DType::kI32),
                     Tensor::empty({0, 1, 4}), Tensor::empty({0}, DType::kI32))
            .boxes.shape() == Shape{0, 3, 4});
}

TEST_CASE("CUDA matches the CPU around the block size") {
  test::on_cuda([](Device device) {
    for (const int64_t capacity : {0, 1, 31, 128, 130}) {
      CAPTURE(capacity);
      const Tensor boxes = test::random_tensor({3, capacity, 4}, 4);
      const Tensor extra = test::random_tensor({3, 5, 4}, 5);
      const auto most = static_cast<int32_t>(capacity);
      const Tensor count = counts({most, 0, most / 2});
      const Tensor extra_count = counts({5, 0, 2});
      const BoxLists expected = append_boxes(boxes, count, extra, extra_count);
      const BoxLists lists = append_boxes(copy_to(boxes, device), copy_to(count, device),
                                          copy_to(extra, device), copy_to(extra_count, device));
      CHECK(test::count_different_bits(lists.boxes, expected.boxes) == 0);
      CHECK(test::count_different_bits(lists.count, expected.count) == 0);
    }
  });
}

}  // namespace
}  // namespace mrcnn
