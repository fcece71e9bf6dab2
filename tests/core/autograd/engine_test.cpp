#include "core/autograd/engine.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/autograd/record.h"
#include "core/error.h"
#include "core/primitives.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

// a * b, element by element.
Tensor multiply(const Tensor& a, const Tensor& b) {
  const auto product = [](const Tensor& x, const Tensor& y) {
    Tensor result = Tensor::empty(x.shape(), DType::kF64);
    for (int64_t i = 0; i < x.numel(); ++i) {
      result.data<double>()[i] = x.data<const double>()[i] * y.data<const double>()[i];
    }
    return result;
  };
  return record("multiply", product(a, b), {a, b},
                [a = a.detach(), b = b.detach(), product](const Tensor& grad) {
                  return std::vector<Tensor>{product(grad, b), product(grad, a)};
                });
}

// Hands its gradient on as it is, to both inputs: they share one buffer.
Tensor sum_of_two(const Tensor& a, const Tensor& b) {
  const Tensor sum = a.detach().clone();
  accumulate_(sum, b.detach());
  return record("sum", sum, {a, b}, [](const Tensor& grad) {
    return std::vector<Tensor>{grad, grad};
  });
}

Tensor scalar(double value) { return Tensor::from(std::vector<double>{value}, {}); }

Tensor leaf(double value) {
  Tensor tensor = scalar(value);
  tensor.require_grad();
  return tensor;
}

double number(const Tensor& tensor) { return tensor.data<const double>()[0]; }

TEST_CASE("Gradients of a product and of a value used twice") {
  const Tensor x = leaf(3), y = leaf(5);
  backward(multiply(multiply(x, y), x));  // x^2 y
  CHECK(number(x.grad()) == 30);
  CHECK(number(y.grad()) == 9);
}

TEST_CASE("Gradients add up over calls until they are cleared") {
  const Tensor x = leaf(3);
  for (int i = 0; i < 2; ++i) backward(multiply(x, x), 0.5);
  CHECK(number(x.grad()) == 6);
  x.clear_grad();
  CHECK(!x.grad().defined());
}

TEST_CASE("Several roots are one sum, constants among them do nothing") {
  const Tensor x = leaf(3);
  const std::vector<Tensor> roots{multiply(x, scalar(2)), multiply(x, x), scalar(7)};
  backward(roots);
  CHECK(number(x.grad()) == 8);
}

TEST_CASE("A gradient that two places share is not added to in place") {
  const Tensor x = leaf(3), y = leaf(4);
  const Tensor s = sum_of_two(x, y);
  backward(sum_of_two(sum_of_two(s, x), sum_of_two(y, y)));
  CHECK(number(x.grad()) == 2);
  CHECK(number(y.grad()) == 3);
}

TEST_CASE("Nothing is recorded without a leaf or with recording off") {
  CHECK(!multiply(scalar(1), scalar(2)).requires_grad());
  const Tensor x = leaf(3);
  {
    const NoGradGuard no_grad;
    CHECK(!multiply(x, x).requires_grad());
    fill_(x, 4);  // what an optimizer does
  }
  CHECK(multiply(x, x).requires_grad());
  CHECK(!x.detach().requires_grad());
}

TEST_CASE("Rejects what the tape cannot do") {
  const Tensor x = leaf(3);
  CHECK_THROWS_WITH_AS(fill_(x, 1), doctest::Contains("gradients are recorded"), UsageError);
  CHECK_THROWS_WITH_AS(backward(Tensor::zeros({2})), doctest::Contains("one number"), ShapeError);
  Tensor integers = Tensor::zeros({2}, DType::kI32);
  CHECK_THROWS_WITH_AS(integers.require_grad(), doctest::Contains("floating"), DTypeError);
  const Tensor twice = multiply(x, x);
  backward(twice);
  CHECK_THROWS_WITH_AS(backward(twice), doctest::Contains("ran backwards before"), Error);
}

TEST_CASE("Rejects gradients that do not fit") {
  const Tensor x = leaf(3);
  const auto returning = [&](const std::vector<Tensor>& gradients) {
    return record("odd", scalar(1), {x}, [gradients](const Tensor&) { return gradients; });
  };
  CHECK_THROWS_WITH_AS(backward(returning({Tensor::zeros({2}, DType::kF64)})),
                       doctest::Contains("'odd' gives a gradient [2]"), ShapeError);
  CHECK_THROWS_WITH_AS(backward(returning({Tensor::zeros({}, DType::kF32)})),
                       doctest::Contains("for an input of f64"), DTypeError);
  CHECK_THROWS_WITH_AS(backward(returning({})), doctest::Contains("0 gradients for 1 inputs"),
                       ShapeError);
  backward(returning({Tensor{}}));  // no gradient at all is one of zero
  CHECK(!x.grad().defined());
}

TEST_CASE("A graph of a hundred thousand nodes runs and goes away") {
  const Tensor x = leaf(1);
  Tensor y = x;
  for (int i = 0; i < 100'000; ++i) y = multiply(y, scalar(1));
  Tensor dropped = y;
  y = Tensor{};
  dropped = Tensor{};  // without running
  y = x;
  for (int i = 0; i < 100'000; ++i) y = multiply(y, scalar(1));
  backward(y);
  CHECK(number(x.grad()) == 1);
}

TEST_CASE("What a graph holds is freed while it runs") {
  const Tensor x = leaf(2);
  const Tensor probe = scalar(1);
  Tensor y = record("holder", scalar(1), {x},
                    [probe](const Tensor& grad) { return std::vector<Tensor>{grad}; });
  CHECK(probe.is_shared());
  backward(y);
  CHECK(!probe.is_shared());
}

TEST_CASE("Gradients match finite differences") {
  const auto views = [](const std::vector<Tensor>& in) {
    const Tensor top = in[0].slice(1, 3).reshape({6});
    return multiply(multiply(top, in[1]), cast(in[1].clone(), DType::kF64));
  };
  test::check_gradients(
      views, {test::random_tensor<double>({4, 3}, 1), test::random_tensor<double>({6}, 2)});
}

TEST_CASE("A cast hands gradients back in the source's type") {
  Tensor x = test::random_tensor<float>({5}, 3);
  x.require_grad();
  const Tensor wide = cast(x, DType::kF64);
  backward_from(wide, test::random_tensor<double>({5}, 4));
  CHECK(x.grad().dtype() == DType::kF32);
  CHECK(x.grad().data<const float>()[2] ==
        static_cast<float>(test::random_tensor<double>({5}, 4).data<const double>()[2]));
}

}  // namespace
}  // namespace mrcnn
