#include "kernels/loss/bce_with_logits.h"

#include <limits>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "tests/kernels/loss/loss_test_tools.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"
#include "tests/support/replay.h"
#include "tests/support/text_golden.h"

namespace mrcnn {
namespace {

using test::Loss;
using test::random_tensor;

Loss loss_of(const Tensor& targets, const Tensor& weights) {
  return [=](const Tensor& logits) { return bce_with_logits(logits, targets, weights); };
}

TEST_CASE("Rejects shapes and types that do not fit") {
  const Tensor logits = random_tensor({3, 2}, 1), weights = random_tensor({3}, 2);
  CHECK_THROWS_WITH_AS(bce_with_logits(logits, random_tensor({2, 3}, 1), weights),
                       doctest::Contains("targets must have the shape of logits"), ShapeError);
  CHECK_THROWS_WITH_AS(bce_with_logits(logits, logits, random_tensor({2}, 1)),
                       doctest::Contains("weights must be [R]"), ShapeError);
  CHECK_THROWS_WITH_AS(bce_with_logits(Tensor{}, logits, weights),
                       doctest::Contains("logits must be [R, ...]"), ShapeError);
  CHECK_THROWS_AS(bce_with_logits(Tensor::zeros({}), Tensor::zeros({}), weights), ShapeError);
  CHECK_THROWS_AS(bce_with_logits(logits, Tensor{}, weights), ShapeError);
  CHECK_THROWS_WITH_AS(bce_with_logits(logits, cast(logits, DType::kF64), weights),
                       doctest::Contains("targets must be f32"), DTypeError);
  CHECK_THROWS_AS(bce_with_logits(cast(logits, DType::kI32), logits, weights), DTypeError);
  CHECK_THROWS_AS(bce_with_logits(logits, logits, cast(weights, DType::kF64)), DTypeError);
}

TEST_CASE("Matches golden: torch's loss and gradient, with logits of 100 and 1e4") {
  const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/losses/losses.txt");
  test::check_golden(loss_of(golden.at("bce.targets"), golden.at("weights")),
                     golden.at("bce.logits"), golden.at("bce.loss"), golden.at("bce.gradient"));
}

TEST_CASE("Gradients match finite differences") {
  const Tensor targets = random_tensor({5, 3, 2}, 1, 0, 1), weights = test::some_weights(5, 2);
  test::check_gradients(
      [&](const std::vector<Tensor>& in) { return bce_with_logits(in[0], targets, weights); },
      {random_tensor<double>({5, 3, 2}, 3, -3, 3)});
  const Tensor flat_targets = random_tensor({7}, 1, 0, 1), flat_weights = test::some_weights(7, 2);
  test::check_gradients(
      [&](const std::vector<Tensor>& in) {
        return bce_with_logits(in[0], flat_targets, flat_weights);
      },
      {random_tensor<double>({7}, 3, -3, 3)});
}

TEST_CASE("Rows of weight 0 do not matter and get no gradient") {
  const Tensor targets = random_tensor({7, 5}, 1, 0, 1), weights = test::some_weights(7, 2);
  const Tensor logits = random_tensor({7, 5}, 3, -3, 3);
  const Loss loss = loss_of(targets, weights);
  const auto expected = test::differentiate(loss, logits);
  for (const float value : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    const auto actual = test::differentiate(loss, test::with_unused_rows(logits, weights, value));
    CHECK(test::count_different_bits(actual.loss, expected.loss) == 0);
    CHECK(test::count_different_bits(actual.gradient, expected.gradient) == 0);
    for (int64_t i = 5; i < 10; ++i) CHECK(actual.gradient.data<const float>()[i] == 0);
  }
}

TEST_CASE("The gradient overwrites what was there") {
  std::vector<float> gradient(4, 9.0F);
  const std::vector<float> logits{1, 2, 0, 0}, targets(4, 0.0F), weights{0, 1};
  const float grad_loss = 4;
  cpu::bce_with_logits_backward(2, 2, &grad_loss, logits.data(), targets.data(), weights.data(),
                                gradient.data());
  CHECK(gradient == std::vector<float>{0, 0, 2, 2});
}

TEST_CASE("The number of threads makes no difference") {
  const Tensor targets = random_tensor({301, 30}, 1, 0, 1), weights = test::some_weights(301, 2);
  const Tensor logits = random_tensor({301, 30}, 3, -3, 3);
  const int threads = num_threads();
  set_num_threads(1);
  const auto serial = test::differentiate(loss_of(targets, weights), logits);
  set_num_threads(5);
  const auto parallel = test::differentiate(loss_of(targets, weights), logits);
  set_num_threads(threads);
  CHECK(test::count_different_bits(serial.loss, parallel.loss) == 0);
  CHECK(test::count_different_bits(serial.gradient, parallel.gradient) == 0);
}

TEST_CASE("CUDA loss and gradient match the CPU's") {
  test::on_cuda([](Device device) {
    for (const Shape& shape : {Shape{1}, {33}, {257}, {5, 3, 17}, {3, 255}}) {
      CAPTURE(shape.to_string());
      const Tensor targets = random_tensor(shape, 1, 0, 1);
      const Tensor weights = test::some_weights(shape[0], 2);
      test::check_cuda(loss_of(targets, weights),
                       loss_of(copy_to(targets, device), copy_to(weights, device)),
                       random_tensor(shape, 3, -4, 4), device);
    }
  });
}

// More elements than the first step has threads, and more blocks than the second has threads.
TEST_CASE("CUDA sums many elements") {
  test::on_cuda(
      [](Device device) {
        const Tensor targets = random_tensor({1, 131173}, 1, 0, 1);
        const Tensor weights = Tensor::from<float>(std::vector<float>{1e-4F}, {1});
        test::check_cuda(loss_of(targets, weights),
                         loss_of(copy_to(targets, device), copy_to(weights, device)),
                         random_tensor({1, 131173}, 3, -4, 4), device);
      },
      1);
}

TEST_CASE("CUDA edges: no rows, unused rows, extreme logits") {
  test::on_cuda([](Device device) {
    const auto on_device = [device](const Shape& shape) {
      return Tensor::zeros(shape, DType::kF32, device);
    };
    for (const Shape& shape : {Shape{0, 28, 28}, {3, 0}}) {
      const auto none =
          test::differentiate(loss_of(on_device(shape), on_device({shape[0]})), on_device(shape));
      CHECK(copy_to(none.loss, Device{}).data<const float>()[0] == 0);
      CHECK(none.gradient.shape() == shape);
    }
    const Tensor targets = random_tensor({7, 5}, 1, 0, 1), weights = test::some_weights(7, 2);
    const Tensor logits = random_tensor({7, 5}, 3, -3, 3);
    const Tensor unused = test::with_unused_rows(logits, weights, std::nanf(""));
    test::check_cuda(loss_of(targets, weights),
                     loss_of(copy_to(targets, device), copy_to(weights, device)), unused, device);
    const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/losses/losses.txt");
    const auto extreme = test::differentiate(
        loss_of(copy_to(golden.at("bce.targets"), device), copy_to(golden.at("weights"), device)),
        copy_to(golden.at("bce.logits"), device), 1.5);
    CHECK(test::worst_difference(extreme.loss, golden.at("bce.loss")) < 1e-6);
    CHECK(test::worst_difference(extreme.gradient, golden.at("bce.gradient")) < 1e-6);
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor targets = copy_to(random_tensor({9, 3}, 1, 0, 1), device);
    const Tensor weights = copy_to(test::some_weights(9, 2), device);
    const Tensor logits = copy_to(random_tensor({9, 3}, 3), device);
    const auto expected = test::differentiate(loss_of(targets, weights), logits);
    const Tensor loss =
        test::replayed(device, [&] { return bce_with_logits(logits, targets, weights); });
    CHECK(test::count_different_bits(loss, copy_to(expected.loss, Device{})) == 0);
  });
}

TEST_CASE("Edges: no rows, nothing but unused rows") {
  for (const Shape& shape : {Shape{0, 28, 28}, {3, 0}, {3, 4}}) {
    const auto none = test::differentiate(loss_of(Tensor::zeros(shape), Tensor::zeros({shape[0]})),
                                          random_tensor(shape, 1));
    CHECK(none.loss.data<const float>()[0] == 0);
    CHECK(test::count_different_bits(none.gradient, Tensor::zeros(shape)) == 0);
  }
}

}  // namespace
}  // namespace mrcnn
