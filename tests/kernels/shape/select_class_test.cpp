#include "kernels/shape/select_class.h"

#include <doctest/doctest.h>

#include <vector>

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

Tensor labels_of(const std::vector<int32_t>& labels) {
  return Tensor::from(labels, {static_cast<int64_t>(labels.size())});
}

TEST_CASE("Rejects widths and shapes that do not fit") {
  const Tensor input = random_tensor({2, 6}, 1), labels = labels_of({0, 1});
  CHECK_THROWS_WITH_AS(select_class(input, labels, 4), doctest::Contains("[R, K*4]"), ShapeError);
  CHECK_THROWS_AS(select_class(input, labels, 0), ShapeError);
  CHECK_THROWS_AS(select_class(Tensor{}, labels, 2), ShapeError);
  CHECK_THROWS_AS(select_class(random_tensor({6}, 1), labels, 2), ShapeError);
  CHECK_THROWS_WITH_AS(select_class(input, labels_of({0}), 2), doctest::Contains("labels must be"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(select_class(input, random_tensor({2}, 1), 2),
                       doctest::Contains("labels must be i32"), DTypeError);
}

TEST_CASE("Takes the labelled columns and zeros for a label out of range") {
  const Tensor input =
      Tensor::from<float>(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {3, 4});
  const Tensor output = select_class(input, labels_of({1, -1, 0}), 2);
  CHECK(test::count_different_bits(
            output, Tensor::from<float>(std::vector<float>{3, 4, 0, 0, 9, 10}, {3, 2})) == 0);
  CHECK(test::count_different_bits(select_class(input, labels_of({2, 9, -5}), 2),
                                   Tensor::zeros({3, 2})) == 0);
}

TEST_CASE("Gradients match finite differences") {
  const Tensor labels = labels_of({2, -1, 0, 1, 3});
  test::check_gradients(
      [&](const std::vector<Tensor>& in) { return select_class(in[0], labels, 4); },
      {random_tensor<double>({5, 12}, 3)});
}

TEST_CASE("The gradient overwrites what was there") {
  std::vector<float> gradient(8, 9.0F);
  const std::vector<float> grad_output{1, 2, 3, 4};
  const std::vector<int32_t> labels{1, -1};
  cpu::select_class_backward({.rows = 2, .classes = 2, .width = 2}, grad_output.data(),
                             labels.data(), gradient.data());
  CHECK(gradient == std::vector<float>{0, 0, 1, 2, 0, 0, 0, 0});
}

// Labels from -1 to one too many.
void check_cuda(int64_t rows, int64_t classes, int64_t width, Device device, DType dtype) {
  CAPTURE(rows);
  const Tensor labels =
      cast(random_tensor({rows}, 1, -1, static_cast<double>(classes + 1)), DType::kI32);
  const Tensor values = random_tensor({rows, classes * width}, 2);
  const Tensor grad_values = random_tensor({rows, width}, 3);
  const auto run = [&](Device where, DType type, const Tensor& x, const Tensor& grad) {
    Tensor leaf = cast(copy_to(x, where), type);
    leaf.require_grad();
    const Tensor output = select_class(leaf, copy_to(labels, where), width);
    backward_from(output, cast(copy_to(grad, where), type));
    return std::pair{cast(output.detach(), DType::kF32), cast(leaf.grad(), DType::kF32)};
  };
  const auto expected = dtype == DType::kF32
                            ? run(Device{}, DType::kF32, values, grad_values)
                            : run(Device{}, DType::kF32, test::rounded_to_bf16(values),
                                  test::rounded_to_bf16(grad_values));
  const auto actual = run(device, dtype, values, grad_values);
  CHECK(test::count_different_bits(actual.first, expected.first) == 0);
  CHECK(test::count_different_bits(actual.second, expected.second) == 0);
}

TEST_CASE("CUDA gives the CPU's bits, forward and backward") {
  test::on_cuda([](Device device) {
    for (const DType dtype : {DType::kF32, DType::kBF16}) {
      check_cuda(1, 1, 1, device, dtype);
      check_cuda(5, 3, 4, device, dtype);
      check_cuda(65, 5, 4, device, dtype);
    }
    const Tensor none = select_class(Tensor::zeros({0, 12}, DType::kF32, device),
                                     Tensor::zeros({0}, DType::kI32, device), 4);
    CHECK(none.shape() == Shape{0, 4});
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor input = random_tensor({3, 8}, 5), labels = labels_of({1, 0, -1});
    const Tensor input_there = copy_to(input, device), labels_there = copy_to(labels, device);
    const Tensor output =
        test::replayed(device, [&] { return select_class(input_there, labels_there, 4); });
    CHECK(test::count_different_bits(output, select_class(input, labels, 4)) == 0);
  });
}

TEST_CASE("Edges: no rows, no classes") {
  CHECK(select_class(Tensor::zeros({0, 8}), labels_of({}), 4).shape() == Shape{0, 4});
  CHECK(test::count_different_bits(select_class(Tensor::zeros({2, 0}), labels_of({0, 0}), 4),
                                   Tensor::zeros({2, 4})) == 0);
}

}  // namespace
}  // namespace mrcnn
