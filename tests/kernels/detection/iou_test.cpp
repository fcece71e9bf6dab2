#include "kernels/detection/iou.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/error.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
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

Tensor random_boxes(int64_t count, uint64_t seed) {
  Tensor boxes = test::random_tensor({count, 4}, seed, 0, 50);
  for (int64_t i = 0; i < count; ++i) {
    float* box = boxes.data<float>() + 4 * i;
    box[2] += box[0];
    box[3] += box[1];
  }
  return boxes;
}

TEST_CASE("CUDA matches the CPU bit by bit at the edges of blocks and of their rows") {
  test::on_cuda([](Device device) {
    for (const int64_t rows : {1, 7, 8, 9, 33}) {
      for (const int64_t columns : {1, 31, 33, 257}) {
        CAPTURE(rows);
        CAPTURE(columns);
        const Tensor a = random_boxes(rows, 1);
        const Tensor b = random_boxes(columns, 2);
        const Tensor iou = box_iou(copy_to(a, device), copy_to(b, device));
        CHECK(iou.device() == device);
        CHECK(test::count_different_bits(iou, box_iou(a, b)) == 0);
      }
    }
  });
}

TEST_CASE("CUDA: no boxes, boxes without area and with NaN, boxes on two devices") {
  test::on_cuda([](Device device) {
    const Tensor none = Tensor::empty({0, 4}, DType::kF32, device);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Tensor a = Tensor::from(std::vector<float>{0, 0, 2, 2, 1, 1, 1, 1, nan, 0, 2, 2}, {3, 4});
    const Tensor on_device = copy_to(a, device);
    CHECK(box_iou(none, on_device).shape() == Shape{0, 3});
    CHECK(box_iou(on_device, none).shape() == Shape{3, 0});
    CHECK(test::count_different_bits(box_iou(on_device, on_device), box_iou(a, a)) == 0);
    CHECK_THROWS_WITH_AS(box_iou(a, on_device), doctest::Contains("different devices"),
                         DeviceError);
  });
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
