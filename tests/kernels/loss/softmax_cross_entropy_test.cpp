#include "kernels/loss/softmax_cross_entropy.h"

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

Loss loss_of(const Tensor& labels, const Tensor& weights) {
  return [=](const Tensor& logits) { return softmax_cross_entropy(logits, labels, weights); };
}

// Labels in 0..classes-1; -1 where the weight is 0.
Tensor some_labels(int64_t classes, const Tensor& weights) {
  Tensor labels =
      cast(random_tensor({weights.numel()}, 8, 0, static_cast<double>(classes)), DType::kI32);
  for (int64_t row = 0; row < weights.numel(); ++row) {
    if (weights.data<const float>()[row] == 0) labels.data<int32_t>()[row] = -1;
  }
  return labels;
}

TEST_CASE("Rejects shapes, types and labels that do not fit") {
  const Tensor logits = random_tensor({3, 5}, 1), weights = random_tensor({3}, 2, 0.1, 1);
  const Tensor labels = Tensor::zeros({3}, DType::kI32);
  CHECK_THROWS_WITH_AS(softmax_cross_entropy(random_tensor({3}, 1), labels, weights),
                       doctest::Contains("logits must be [R,K]"), ShapeError);
  CHECK_THROWS_WITH_AS(softmax_cross_entropy(logits, Tensor::zeros({2}, DType::kI32), weights),
                       doctest::Contains("labels must be [R]"), ShapeError);
  CHECK_THROWS_WITH_AS(softmax_cross_entropy(logits, weights, weights),
                       doctest::Contains("labels must be i32"), DTypeError);
  CHECK_THROWS_AS(softmax_cross_entropy(logits, labels, random_tensor({4}, 1)), ShapeError);
  for (const int32_t label : {-1, 5}) {
    labels.data<int32_t>()[1] = label;
    CHECK_THROWS_WITH_AS(softmax_cross_entropy(logits, labels, weights),
                         doctest::Contains("of row 1 is not in 0..4"), ShapeError);
  }
  weights.data<float>()[1] = 0;
  CHECK_NOTHROW(softmax_cross_entropy(logits, labels, weights));
}

TEST_CASE("Matches golden: torch's loss and gradient, with logits of 100 and 1e4") {
  const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/losses/losses.txt");
  test::check_golden(loss_of(golden.at("cross_entropy.labels"), golden.at("weights")),
                     golden.at("cross_entropy.logits"), golden.at("cross_entropy.loss"),
                     golden.at("cross_entropy.gradient"));
}

TEST_CASE("Gradients match finite differences") {
  const Tensor weights = test::some_weights(6, 2), labels = some_labels(5, weights);
  test::check_gradients(
      [&](const std::vector<Tensor>& in) { return softmax_cross_entropy(in[0], labels, weights); },
      {random_tensor<double>({6, 5}, 3, -3, 3)});
}

TEST_CASE("Rows of weight 0 do not matter and get no gradient") {
  const Tensor weights = test::some_weights(7, 2), labels = some_labels(4, weights);
  const Tensor logits = random_tensor({7, 4}, 3, -3, 3);
  const auto expected = test::differentiate(loss_of(labels, weights), logits);
  const auto actual = test::differentiate(loss_of(labels, weights),
                                          test::with_unused_rows(logits, weights, std::nanf("")));
  CHECK(test::count_different_bits(actual.loss, expected.loss) == 0);
  CHECK(test::count_different_bits(actual.gradient, expected.gradient) == 0);
  for (int64_t i = 4; i < 8; ++i) CHECK(actual.gradient.data<const float>()[i] == 0);
}

TEST_CASE("CUDA loss and gradient match the CPU's at warp and block edges") {
  test::on_cuda([](Device device) {
    for (const auto& [rows, classes] : {std::pair{1, 2}, {3, 31}, {9, 33}, {17, 91}}) {
      CAPTURE(rows);
      CAPTURE(classes);
      const Tensor weights = test::some_weights(rows, 2), labels = some_labels(classes, weights);
      test::check_cuda(loss_of(labels, weights),
                       loss_of(copy_to(labels, device), copy_to(weights, device)),
                       random_tensor({rows, classes}, 3, -4, 4), device);
    }
  });
}

TEST_CASE("CUDA sums more rows than the first step has warps") {
  test::on_cuda(
      [](Device device) {
        const Tensor weights = random_tensor({4101}, 2, 0, 1e-3), labels = some_labels(2, weights);
        test::check_cuda(loss_of(labels, weights),
                         loss_of(copy_to(labels, device), copy_to(weights, device)),
                         random_tensor({4101, 2}, 3, -4, 4), device);
      },
      1);
}

TEST_CASE("CUDA edges: no rows, unused rows, extreme logits") {
  test::on_cuda([](Device device) {
    const auto none = test::differentiate(
        loss_of(Tensor::zeros({0}, DType::kI32, device), Tensor::zeros({0}, DType::kF32, device)),
        Tensor::zeros({0, 91}, DType::kF32, device));
    CHECK(copy_to(none.loss, Device{}).data<const float>()[0] == 0);
    CHECK(none.gradient.shape() == Shape{0, 91});
    const Tensor weights = test::some_weights(7, 2), labels = some_labels(5, weights);
    const Tensor logits = test::with_unused_rows(random_tensor({7, 5}, 3), weights,
                                                 std::numeric_limits<float>::infinity());
    test::check_cuda(loss_of(labels, weights),
                     loss_of(copy_to(labels, device), copy_to(weights, device)), logits, device);
    const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/losses/losses.txt");
    const auto extreme =
        test::differentiate(loss_of(copy_to(golden.at("cross_entropy.labels"), device),
                                    copy_to(golden.at("weights"), device)),
                            copy_to(golden.at("cross_entropy.logits"), device), 1.5);
    CHECK(test::worst_difference(extreme.loss, golden.at("cross_entropy.loss")) < 1e-6);
    CHECK(test::worst_difference(extreme.gradient, golden.at("cross_entropy.gradient")) < 1e-6);
  });
}

TEST_CASE("CUDA takes a label out of range as weight 0") {
  test::on_cuda([](Device device) {
    const Tensor logits = random_tensor({3, 4}, 1);
    const Tensor wrong = Tensor::from<int32_t>(std::vector<int32_t>{1, 4, -7}, {3});
    const Tensor right = Tensor::from<int32_t>(std::vector<int32_t>{1, 0, 0}, {3});
    const Tensor ones = Tensor::from<float>(std::vector<float>{1, 1, 1}, {3});
    const Tensor first = Tensor::from<float>(std::vector<float>{1, 0, 0}, {3});
    const auto actual = test::differentiate(loss_of(copy_to(wrong, device), copy_to(ones, device)),
                                            copy_to(logits, device));
    const auto expected = test::differentiate(loss_of(right, first), logits);
    CHECK(test::worst_difference(actual.loss, expected.loss) < 1e-6);
    CHECK(test::worst_difference(actual.gradient, expected.gradient) < 1e-6);
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor host_weights = test::some_weights(9, 2);
    const Tensor labels = copy_to(some_labels(5, host_weights), device);
    const Tensor weights = copy_to(host_weights, device);
    const Tensor logits = copy_to(random_tensor({9, 5}, 3), device);
    const Tensor loss =
        test::replayed(device, [&] { return softmax_cross_entropy(logits, labels, weights); });
    const Tensor expected = softmax_cross_entropy(logits, labels, weights);
    CHECK(test::count_different_bits(loss, copy_to(expected, Device{})) == 0);
  });
}

TEST_CASE("Edges: no rows, one class") {
  const auto none = test::differentiate(
      loss_of(Tensor::zeros({0}, DType::kI32), Tensor::zeros({0})), Tensor::zeros({0, 91}));
  CHECK(none.loss.data<const float>()[0] == 0);
  CHECK(none.gradient.shape() == Shape{0, 91});
  const auto one =
      test::differentiate(loss_of(Tensor::zeros({2}, DType::kI32), random_tensor({2}, 1, 0.5, 1)),
                          random_tensor({2, 1}, 1));
  CHECK(one.loss.data<const float>()[0] == 0);
  CHECK(one.gradient.data<const float>()[1] == 0);
}

}  // namespace
}  // namespace mrcnn
