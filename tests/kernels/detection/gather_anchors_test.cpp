#include "kernels/detection/gather_anchors.h"

#include <doctest/doctest.h>

#include "core/autograd/engine.h"
#include "core/error.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"

namespace mrcnn {
namespace {

using test::random_tensor;

Tensor indices_of(const std::vector<int32_t>& indices, const Shape& shape) {
  return Tensor::from(indices, shape);
}

// Two images; 3 anchors a cell: 2x3 cells on level 0, 1x2 on level 1; 18 + 6 anchors an image.
template <typename T = float>
std::vector<Tensor> two_levels(int64_t width) {
  return {random_tensor<T>({2, 2, 3, 3 * width}, 1), random_tensor<T>({2, 1, 2, 3 * width}, 2)};
}

TEST_CASE("Rejects maps and indices that do not fit") {
  const std::vector<Tensor> maps = two_levels(4);
  const Tensor indices = indices_of({0, 1}, {2, 1});
  CHECK_THROWS_WITH_AS(gather_anchors({}, indices, 4), doctest::Contains("1 to 8 maps"),
                       ShapeError);
  CHECK_THROWS_AS(gather_anchors(std::vector<Tensor>(9, maps[0]), indices, 4), ShapeError);
  CHECK_THROWS_AS(gather_anchors(maps, indices, 0), ShapeError);
  CHECK_THROWS_WITH_AS(gather_anchors(maps, indices, 5), doctest::Contains("a multiple of 5"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(gather_anchors(maps, indices_of({0}, {1, 1}), 4),
                       doctest::Contains("map must be [N,H,W,A*width]"), ShapeError);
  CHECK_THROWS_AS(gather_anchors(maps, indices_of({0, 1}, {2}), 4), ShapeError);
  CHECK_THROWS_AS(gather_anchors(maps, random_tensor({2, 1}, 1), 4), DTypeError);
  CHECK_THROWS_AS(
      gather_anchors(std::vector<Tensor>{maps[0], cast(maps[1], DType::kF64)}, indices, 4),
      DTypeError);
  CHECK_THROWS_WITH_AS(gather_anchors(maps, indices_of({0, 24}, {2, 1}), 4),
                       doctest::Contains("index 24 of image 1 is not in -1..23"), ShapeError);
  CHECK_THROWS_WITH_AS(gather_anchors(maps, indices_of({-2, 3}, {2, 1}), 4),
                       doctest::Contains("index -2 of image 0"), ShapeError);
  CHECK_THROWS_WITH_AS(gather_anchors(maps, indices_of({7, 7, -1, -1}, {2, 2}), 4),
                       doctest::Contains("index 7 of image 0 is there twice"), ShapeError);
}

TEST_CASE("Takes anchors by level, row, column and place in the cell") {
  const std::vector<Tensor> maps = two_levels(4);
  // Image 0: level 0, cell (1, 2), anchor 1; unused. Image 1: level 1, cell (0, 1), anchor 2;
  // level 0, cell (0, 0), anchor 0.
  const Tensor output = gather_anchors(maps, indices_of({16, -1, 23, 0}, {2, 2}), 4);
  REQUIRE(output.shape() == Shape{4, 4});
  const float* const level0 = maps[0].data<const float>();
  const float* const level1 = maps[1].data<const float>();
  for (int64_t j = 0; j < 4; ++j) {
    CHECK(output.data<const float>()[j] == level0[(1 * 3 + 2) * 12 + 4 + j]);
    CHECK(output.data<const float>()[4 + j] == 0);
    CHECK(output.data<const float>()[8 + j] == level1[(2 + 1) * 12 + 8 + j]);
    CHECK(output.data<const float>()[12 + j] == level0[6 * 12 + j]);
  }
}

TEST_CASE("Levels may differ in anchors a cell") {
  const std::vector<Tensor> maps = {random_tensor({1, 2, 1, 3}, 1), random_tensor({1, 1, 1, 2}, 2)};
  const Tensor output = gather_anchors(maps, indices_of({5, 6, 7}, {1, 3}), 1);
  CHECK(output.data<const float>()[0] == maps[0].data<const float>()[5]);
  CHECK(output.data<const float>()[1] == maps[1].data<const float>()[0]);
  CHECK(output.data<const float>()[2] == maps[1].data<const float>()[1]);
}

TEST_CASE("Gradients match finite differences") {
  const Tensor indices = indices_of({16, -1, 20, 23, 0, 17}, {2, 3});
  for (const int64_t width : {1, 4}) {
    test::check_gradients(
        [&](const std::vector<Tensor>& in) { return gather_anchors(in, indices, width); },
        two_levels<double>(width));
  }
}

TEST_CASE("A map that needs no gradient gets none") {
  std::vector<Tensor> maps = two_levels(4);
  maps[1].require_grad();
  const Tensor output = gather_anchors(maps, indices_of({16, 20}, {2, 1}), 4);
  backward_from(output, random_tensor({2, 4}, 3));
  CHECK(maps[1].grad().data<const float>()[(2 + 0) * 12 + 8] ==
        random_tensor({2, 4}, 3).data<const float>()[4]);
  CHECK(!maps[0].requires_grad());
}

struct Result {
  Tensor output;
  std::vector<Tensor> gradients;
};

// In f32 numbers, computed in `dtype`.
Result run(const std::vector<Tensor>& maps, const Tensor& indices, int64_t width, Device device,
           DType dtype) {
  std::vector<Tensor> leaves;
  for (const Tensor& map : maps) {
    leaves.push_back(cast(copy_to(map, device), dtype));
    leaves.back().require_grad();
  }
  const Tensor output = gather_anchors(leaves, copy_to(indices, device), width);
  const Tensor grad = test::rounded_to_bf16(random_tensor(output.shape(), 7));
  backward_from(output, cast(copy_to(grad, device), dtype));
  Result result{.output = cast(output.detach(), DType::kF32), .gradients = {}};
  for (const Tensor& leaf : leaves) result.gradients.push_back(cast(leaf.grad(), DType::kF32));
  return result;
}

TEST_CASE("CUDA gives the CPU's bits, forward and backward") {
  test::on_cuda([](Device device) {
    std::vector<int32_t> picked(2 * 17, -1);
    for (size_t i = 0; i < picked.size(); i += 2) picked[i] = static_cast<int32_t>((i * 7) % 24);
    const Tensor indices = indices_of(picked, {2, 17});
    for (const int64_t width : {1, 4}) {
      std::vector<Tensor> maps = two_levels(width);
      for (Tensor& map : maps) map = test::rounded_to_bf16(map);
      const Result expected = run(maps, indices, width, Device{}, DType::kF32);
      for (const DType dtype : {DType::kF32, DType::kBF16}) {
        const Result actual = run(maps, indices, width, device, dtype);
        CHECK(test::count_different_bits(actual.output, expected.output) == 0);
        for (size_t level = 0; level < 2; ++level) {
          CHECK(test::count_different_bits(actual.gradients[level], expected.gradients[level]) ==
                0);
        }
      }
    }
  });
}

TEST_CASE("CUDA gives zeros for indices out of range") {
  test::on_cuda([](Device device) {
    const std::vector<Tensor> maps = two_levels(4);
    const Result actual = run(maps, indices_of({24, 3, -9, 20}, {2, 2}), 4, device, DType::kF32);
    const Result expected =
        run(maps, indices_of({-1, 3, -1, 20}, {2, 2}), 4, Device{}, DType::kF32);
    CHECK(test::count_different_bits(actual.output, expected.output) == 0);
    for (size_t level = 0; level < 2; ++level) {
      CHECK(test::count_different_bits(actual.gradients[level], expected.gradients[level]) == 0);
    }
    CHECK(run(maps, Tensor::zeros({2, 0}, DType::kI32), 4, device, DType::kF32).output.shape() ==
          Shape{0, 4});
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const std::vector<Tensor> maps = two_levels(4);
    const Tensor indices = indices_of({3, 20}, {2, 1});
    const std::vector<Tensor> there = {copy_to(maps[0], device), copy_to(maps[1], device)};
    const Tensor indices_there = copy_to(indices, device);
    const Tensor output =
        test::replayed(device, [&] { return gather_anchors(there, indices_there, 4); });
    CHECK(test::count_different_bits(output, gather_anchors(maps, indices, 4)) == 0);
  });
}

TEST_CASE("Edges: no samples, no images, a level without cells") {
  const std::vector<Tensor> maps = two_levels(4);
  const Result none = run(maps, Tensor::zeros({2, 0}, DType::kI32), 4, Device{}, DType::kF32);
  CHECK(none.output.shape() == Shape{0, 4});
  CHECK(test::count_different_bits(none.gradients[0], Tensor::zeros({2, 2, 3, 12})) == 0);
  const std::vector<Tensor> no_images = {Tensor::zeros({0, 2, 3, 12})};
  CHECK(gather_anchors(no_images, Tensor::zeros({0, 5}, DType::kI32), 4).shape() == Shape{0, 4});
  const std::vector<Tensor> hollow = {Tensor::zeros({1, 0, 3, 4}), random_tensor({1, 1, 1, 4}, 3)};
  CHECK(test::count_different_bits(gather_anchors(hollow, indices_of({0}, {1, 1}), 4),
                                   hollow[1].reshape({1, 4})) == 0);
}

}  // namespace
}  // namespace mrcnn
