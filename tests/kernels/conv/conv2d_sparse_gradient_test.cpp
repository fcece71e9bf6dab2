#include "kernels/conv/conv2d_sparse_gradient.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "core/primitives.h"
#include "kernels/conv/conv2d_backward.h"
#include "tests/kernels/conv/conv_test_tools.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;
using test::to_f64;

struct Case {
  Shape input;
  Shape weight;
  Conv2dParams params;
  std::vector<int64_t> pixels;  // of the gradient, that are not 0
};

const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      // All corners, neighbours whose patches overlap, the second image.
      {{2, 9, 11, 16}, {32, 3, 3, 16}, {.padding = {1, 1}}, {0, 1, 10, 12, 88, 98, 99, 197}},
      {{2, 9, 11, 70}, {5, 1, 1, 70}, {}, {3, 98, 150}},
      {{1, 21, 19, 3}, {4, 5, 3, 3}, {.stride = {2, 1}, .padding = {2, 0}}, {0, 16, 17, 170}},
      {{1, 12, 9, 2}, {3, 3, 3, 2}, {.padding = {1, 1}}, {}},
  };
  return list;
}

Tensor sparse_gradient(const Case& c) {
  const Shape shape = conv2d_output_shape(c.input, c.weight, c.params);
  const Tensor values = random_tensor(shape, 5), sparse = Tensor::zeros(shape);
  for (const int64_t pixel : c.pixels) {
    std::copy_n(values.data<const float>() + pixel * shape[3], shape[3],
                sparse.data<float>() + pixel * shape[3]);
  }
  return sparse;
}

// The largest difference, as part of the largest value.
double error(const Tensor& actual, const Tensor& expected) {
  double largest = 0, difference = 0;
  for (int64_t i = 0; i < expected.numel(); ++i) {
    const double wanted = expected.data<const double>()[i];
    largest = std::max(largest, std::abs(wanted));
    difference =
        std::max(difference, std::abs(static_cast<double>(actual.data<const float>()[i]) - wanted));
  }
  return largest == 0 ? difference : difference / largest;
}

TEST_CASE("Finds the few pixels with a value, and nothing where there are many") {
  const Tensor grad = Tensor::zeros({2, 40, 40, 3});  // more than one chunk
  REQUIRE(cpu::few_nonzero_pixels(grad).has_value());
  CHECK(cpu::few_nonzero_pixels(grad)->empty());
  float* const values = grad.data<float>();
  values[3 * 3199 + 2] = std::numeric_limits<float>::quiet_NaN();
  values[3 * 7] = std::numeric_limits<float>::denorm_min();
  values[3 * 9 + 1] = -0.0F;
  values[3 * 1600 + 1] = -2;
  CHECK(cpu::few_nonzero_pixels(grad) == std::vector<int64_t>{7, 1600, 3199});
  for (int64_t pixel = 0; pixel < 200; ++pixel) values[3 * (16 * pixel + 7)] = 1;
  values[3 * 1600 + 1] = 0;
  values[3 * 3199 + 2] = 0;
  REQUIRE(cpu::few_nonzero_pixels(grad).has_value());  // a sixteenth
  CHECK(cpu::few_nonzero_pixels(grad)->size() == 200);
  values[3 * 3199] = 1;
  CHECK_FALSE(cpu::few_nonzero_pixels(grad).has_value());
}

TEST_CASE("Gradients of few pixels agree with f64") {
  for (const Case& c : cases()) {
    CAPTURE(c.weight.to_string());
    const Tensor grad = sparse_gradient(c);
    const Tensor input = random_tensor(c.input, 1), weight = random_tensor(c.weight, 2);
    CHECK(cpu::few_nonzero_pixels(grad) == c.pixels);
    const Tensor wide = to_f64(grad);
    CHECK(error(conv2d_grad_input(grad, weight, c.input, c.params),
                conv2d_grad_input(wide, to_f64(weight), c.input, c.params)) < 2e-6);
    CHECK(error(conv2d_grad_weight(grad, input, c.weight, c.params),
                conv2d_grad_weight(wide, to_f64(input), c.weight, c.params)) < 2e-6);
  }
}

TEST_CASE("The number of threads does not change a bit") {
  const int before = num_threads();
  for (const Case& c : cases()) {
    CAPTURE(c.weight.to_string());
    const Tensor grad = sparse_gradient(c);
    const Tensor input = random_tensor(c.input, 1), weight = random_tensor(c.weight, 2);
    set_num_threads(1);
    const Tensor grad_input = conv2d_grad_input(grad, weight, c.input, c.params);
    const Tensor grad_weight = conv2d_grad_weight(grad, input, c.weight, c.params);
    set_num_threads(3);
    CHECK(test::count_different_bits(conv2d_grad_input(grad, weight, c.input, c.params),
                                     grad_input) == 0);
    CHECK(test::count_different_bits(conv2d_grad_weight(grad, input, c.weight, c.params),
                                     grad_weight) == 0);
  }
  set_num_threads(before);
}

}  // namespace
}  // namespace mrcnn
