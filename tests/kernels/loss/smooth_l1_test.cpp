#include "kernels/loss/smooth_l1.h"

#include <limits>

#include "core/error.h"
#include "tests/kernels/loss/loss_test_tools.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"
#include "tests/support/replay.h"
#include "tests/support/text_golden.h"

namespace mrcnn {
namespace {

using test::Loss;
using test::random_tensor;

Loss loss_of(const Tensor& targets, const Tensor& weights, float beta) {
  return [=](const Tensor& predictions) {
    return smooth_l1(predictions, targets, weights, {.beta = beta});
  };
}

TEST_CASE("Rejects shapes that do not fit and a negative beta") {
  const Tensor boxes = random_tensor({3, 4}, 1), weights = random_tensor({3}, 2);
  CHECK_THROWS_WITH_AS(smooth_l1(boxes, random_tensor({3, 5}, 1), weights, {}),
                       doctest::Contains("targets must have the shape of predictions"), ShapeError);
  CHECK_THROWS_WITH_AS(smooth_l1(boxes, boxes, boxes, {}), doctest::Contains("weights must be [R]"),
                       ShapeError);
  for (const float beta : {-1.0F, std::nanf(""), std::numeric_limits<float>::infinity()}) {
    CHECK_THROWS_WITH_AS(smooth_l1(boxes, boxes, weights, {.beta = beta}),
                         doctest::Contains("beta must be 0 or more"), ShapeError);
  }
}

TEST_CASE("Matches golden: torch's loss and gradient, beta 0, 1/8 and 1") {
  const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/losses/losses.txt");
  for (const auto& [name, beta] : {std::pair{std::string("smooth_l1_0"), 0.0F},
                                   {"smooth_l1_8th", 0.125F},
                                   {"smooth_l1_1", 1.0F}}) {
    CAPTURE(name);
    test::check_golden(loss_of(golden.at("smooth_l1.targets"), golden.at("weights"), beta),
                       golden.at("smooth_l1.predictions"), golden.at(name + ".loss"),
                       golden.at(name + ".gradient"));
  }
}

// Differences of 1/2 and 1/4 from a target of 2, weight 3.
TEST_CASE("Matches numbers computed by hand") {
  const Tensor predictions = Tensor::from<float>(std::vector<float>{2.5F, 1.75F, 2}, {1, 3});
  const Tensor targets = Tensor::from<float>(std::vector<float>{2, 2, 2}, {1, 3});
  const Tensor weights = Tensor::from<float>(std::vector<float>{3}, {1});
  const auto check = [&](float beta, float loss, std::vector<float> gradient) {
    const auto actual = test::differentiate(loss_of(targets, weights, beta), predictions);
    CHECK(actual.loss.data<const float>()[0] == loss);
    CHECK(test::count_different_bits(actual.gradient, Tensor::from(gradient, {1, 3})) == 0);
  };
  check(0.0F, 3 * 0.75F, {3, -3, 0});
  check(0.5F, 3 * (0.25F + 0.0625F), {3, -1.5F, 0});
  check(2.0F, 3 * (0.0625F + 0.015625F), {0.75F, -0.375F, 0});
}

TEST_CASE("Gradients match finite differences") {
  // Differences are at least 0.2 from the kinks at 0 and, for the second, at 1.
  const Tensor targets = Tensor::zeros({5, 3}), weights = test::some_weights(5, 2);
  const Tensor small = random_tensor<double>({5, 3}, 3, 0.2, 0.8);
  const Tensor large = random_tensor<double>({5, 3}, 4, -3, -1.2);
  for (const float beta : {0.0F, 1.0F}) {
    for (const Tensor& predictions : {small, large}) {
      test::check_gradients(
          [&](const std::vector<Tensor>& in) {
            return smooth_l1(in[0], targets, weights, {.beta = beta});
          },
          {predictions});
    }
  }
}

TEST_CASE("Rows of weight 0 do not matter and get no gradient") {
  const Tensor targets = random_tensor({7, 4}, 1), weights = test::some_weights(7, 2);
  const Tensor predictions = random_tensor({7, 4}, 3);
  const Loss loss = loss_of(targets, weights, 1);
  const auto expected = test::differentiate(loss, predictions);
  const auto actual =
      test::differentiate(loss, test::with_unused_rows(predictions, weights, std::nanf("")));
  CHECK(test::count_different_bits(actual.loss, expected.loss) == 0);
  CHECK(test::count_different_bits(actual.gradient, expected.gradient) == 0);
  for (int64_t i = 4; i < 8; ++i) CHECK(actual.gradient.data<const float>()[i] == 0);
}

TEST_CASE("CUDA loss and gradient match the CPU's") {
  test::on_cuda([](Device device) {
    for (const Shape& shape : {Shape{1, 4}, {9, 4}, {65, 4}, {3, 43}}) {
      for (const float beta : {0.0F, 1.0F / 9, 1.0F}) {
        CAPTURE(shape.to_string());
        CAPTURE(beta);
        const Tensor targets = random_tensor(shape, 1);
        const Tensor weights = test::some_weights(shape[0], 2);
        test::check_cuda(loss_of(targets, weights, beta),
                         loss_of(copy_to(targets, device), copy_to(weights, device), beta),
                         random_tensor(shape, 3, -2, 2), device);
      }
    }
  });
}

TEST_CASE("CUDA edges: no rows, unused rows, no difference") {
  test::on_cuda([](Device device) {
    const auto on_device = [device](const Shape& shape) {
      return Tensor::zeros(shape, DType::kF32, device);
    };
    const auto none =
        test::differentiate(loss_of(on_device({0, 4}), on_device({0}), 1), on_device({0, 4}));
    CHECK(copy_to(none.loss, Device{}).data<const float>()[0] == 0);
    CHECK(none.gradient.shape() == Shape{0, 4});
    const Tensor targets = random_tensor({7, 4}, 1), weights = test::some_weights(7, 2);
    for (const float beta : {0.0F, 1.0F}) {
      const Loss here = loss_of(targets, weights, beta);
      const Loss there = loss_of(copy_to(targets, device), copy_to(weights, device), beta);
      test::check_cuda(here, there, test::with_unused_rows(targets, weights, std::nanf("")),
                       device);
    }
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor targets = copy_to(random_tensor({9, 4}, 1), device);
    const Tensor weights = copy_to(test::some_weights(9, 2), device);
    const Tensor predictions = copy_to(random_tensor({9, 4}, 3), device);
    const Tensor loss = test::replayed(
        device, [&] { return smooth_l1(predictions, targets, weights, {.beta = 1}); });
    const Tensor expected = smooth_l1(predictions, targets, weights, {.beta = 1});
    CHECK(test::count_different_bits(loss, copy_to(expected, Device{})) == 0);
  });
}

TEST_CASE("Edges: no rows") {
  const auto none = test::differentiate(loss_of(Tensor::zeros({0, 4}), Tensor::zeros({0}), 1),
                                        Tensor::zeros({0, 4}));
  CHECK(none.loss.data<const float>()[0] == 0);
  CHECK(none.gradient.shape() == Shape{0, 4});
}

}  // namespace
}  // namespace mrcnn
