#include "kernels/detection/iou.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "tests/support/golden.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

TEST_CASE("Rejects inputs that do not fit") {
  const Tensor boxes = test::random_tensor({3, 4}, 1);
  CHECK_THROWS_WITH_AS(box_iou(boxes, Tensor{}), doctest::Contains("b must be [M,4]"), ShapeError);
  CHECK_THROWS_AS(box_iou(test::random_tensor<double>({3, 4}, 1), boxes), DTypeError);
}

TEST_CASE("Matches torchvision, bit by bit") {
  const test::GoldenFile file("torchvision_ops.safetensors");
  const Tensor boxes = file.golden("nms/boxes");
  const Tensor expected = file.golden("nms/iou");
  const Tensor iou = box_iou(boxes.slice(0, 60), boxes.slice(60, 130));
  REQUIRE(iou.shape() == expected.shape());
  CHECK(std::equal(iou.span<const float>().begin(), iou.span<const float>().end(),
                   expected.span<const float>().begin()));
}

TEST_CASE("Edges: no boxes, touching boxes, boxes without area") {
  CHECK(box_iou(Tensor::empty({0, 4}), Tensor::empty({5, 4})).shape() == Shape{0, 5});
  CHECK(box_iou(Tensor::empty({5, 4}), Tensor::empty({0, 4})).shape() == Shape{5, 0});
  const Tensor a = Tensor::from(std::vector<float>{0, 0, 2, 2, 1, 1, 1, 1}, {2, 4});
  const Tensor b =
      Tensor::from(std::vector<float>{0, 0, 2, 2, 2, 0, 4, 2, 0, 0, 2, 1, 1, 1, 1, 1}, {4, 4});
  const std::vector<float> expected{1, 0, 0.5F, 0, 0, 0, 0, 0};
  const Tensor iou = box_iou(a, b);
  for (size_t i = 0; i < expected.size(); ++i) CHECK(iou.data<const float>()[i] == expected[i]);
}

}  // namespace
}  // namespace mrcnn
