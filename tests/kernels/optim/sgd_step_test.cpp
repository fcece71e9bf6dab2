#include "kernels/optim/sgd_step.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/autograd/engine.h"
#include "core/error.h"
#include "core/parallel.h"
#include "kernels/linalg/linear.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/golden.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::count_different_bits;
using test::random_tensor;

SgdTensor some_tensor(const Shape& shape, uint64_t seed) {
  return {.parameter = random_tensor(shape, seed),
          .gradient = random_tensor(shape, seed + 1),
          .momentum = random_tensor(shape, seed + 2),
          .lr = 0.1,
          .weight_decay = 0.01};
}

TEST_CASE("Rejects tensors and numbers that do not fit") {
  const auto step = [](const SgdTensor& tensor, const SgdParams& params) {
    sgd_step_({&tensor, 1}, params);
  };
  const SgdParams params{.momentum = 0.9};
  const SgdTensor good = some_tensor({3, 4}, 1);
  SgdTensor bad = good;
  bad.gradient = random_tensor({4, 3}, 1);
  CHECK_THROWS_WITH_AS(step(bad, params),
                       doctest::Contains("[sgd_step_] gradient does not have the parameter's"),
                       ShapeError);
  bad = good;
  bad.momentum = {};
  CHECK_THROWS_WITH_AS(step(bad, params), doctest::Contains("momentum does not"), ShapeError);
  CHECK_NOTHROW(step(bad, {}));
  bad.gradient = random_tensor<double>({3, 4}, 1);
  CHECK_THROWS_WITH_AS(step(bad, {}), doctest::Contains("differ in type"), DTypeError);
  CHECK_THROWS_AS(step(good, {.momentum = -1}), UsageError);
  CHECK_THROWS_WITH_AS(step(good, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}),
                       doctest::Contains("Nesterov"), UsageError);
  CHECK_THROWS_WITH_AS(step(good, {.device_scale = random_tensor({2}, 1)}),
                       doctest::Contains("device_scale must be f32 [1]"), ShapeError);
  CHECK_THROWS_WITH_AS(step(good, {.finite = random_tensor({1}, 1)}),
                       doctest::Contains("finite must be i32 [1]"), ShapeError);
}

TEST_CASE("Leaves of the tape may be changed, results may not") {
  SgdTensor tensor = some_tensor({3, 4}, 1);
  tensor.parameter.require_grad();
  CHECK_NOTHROW(sgd_step_({&tensor, 1}, {}));
  tensor.parameter = linear(tensor.parameter, random_tensor({4, 4}, 2), {});
  CHECK_THROWS_WITH_AS(sgd_step_({&tensor, 1}, {}), doctest::Contains("recorded"), UsageError);
}

struct Golden {
  std::string name;
  SgdParams params;
  double weight_decay;
};
const std::vector<Golden> kGoldens{
    {"plain", {}, 0},
    {"momentum", {.momentum = 0.9}, 0.01},
    {"nesterov", {.momentum = 0.9, .nesterov = true}, 0.01},
    {"dampening", {.momentum = 0.9, .dampening = 0.3}, 0},
};

// The largest difference of any element, relative to numbers of order 1.
double largest_difference(const Tensor& actual, const Tensor& expected) {
  REQUIRE(actual.shape() == expected.shape());
  const Tensor a = cast(copy_to(actual, Device{}), DType::kF64), e = cast(expected, DType::kF64);
  double largest = 0;
  for (int64_t i = 0; i < a.numel(); ++i) {
    largest = std::max(largest, std::abs(a.data<const double>()[i] - e.data<const double>()[i]));
  }
  return largest;
}

// Three steps, compared with torch after each.
void check_golden(const Golden& golden, DType dtype, Device device, double tolerance) {
  const test::GoldenFile file("sgd.safetensors");
  const auto load = [&](const std::string& name) {
    return copy_to(cast(file.golden(name), dtype), device);
  };
  const std::vector<double> rates{0.1, 0.05, 0.02};
  std::vector<SgdTensor> tensors;
  for (size_t i = 0; i < rates.size(); ++i) {
    const Tensor parameter = load("initial/" + std::to_string(i)).clone();
    tensors.push_back({.parameter = parameter,
                       .momentum = Tensor::zeros(parameter.shape(), dtype, device),
                       .lr = rates[i],
                       .weight_decay = golden.weight_decay});
  }
  SgdParams params = golden.params;
  for (int step = 0; step < 3; ++step) {
    params.first_step = step == 0;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const bool has_gradient = step != 1 || i != 1;
      tensors[i].gradient = has_gradient
                                ? load("gradient/" + std::to_string(step) + "/" + std::to_string(i))
                                : Tensor{};
    }
    sgd_step_(tensors, params);
    const std::string prefix =
        golden.name + "_" + std::string(dtype_name(dtype)) + "/" + std::to_string(step) + "/";
    for (size_t i = 0; i < tensors.size(); ++i) {
      const auto expected = [&](const std::string& part) {
        return file.golden(prefix + part + "/" + std::to_string(i));
      };
      CHECK(largest_difference(tensors[i].parameter, expected("parameter")) <= tolerance);
      if (params.momentum != 0) {
        CHECK(largest_difference(tensors[i].momentum, expected("momentum")) <= tolerance);
      }
    }
  }
}

// torch may contract a product and a sum, which moves a number of order 1 by one rounding a step.
constexpr double kF32Tolerance = 5e-7, kF64Tolerance = 1e-15;

TEST_CASE("Matches torch over three steps, one tensor without a gradient in the second") {
  for (const Golden& golden : kGoldens) {
    CAPTURE(golden.name);
    check_golden(golden, DType::kF64, {}, kF64Tolerance);
    check_golden(golden, DType::kF32, {}, kF32Tolerance);
  }
}

TEST_CASE("Scales of the host and of the device multiply the gradient, not the decay") {
  SgdTensor tensor{.parameter = Tensor::from<double>(std::vector<double>{8}, {1}),
                   .gradient = Tensor::from<double>(std::vector<double>{3}, {1}),
                   .momentum = Tensor::from<double>(std::vector<double>{16}, {1}),
                   .lr = 0.5,
                   .weight_decay = 0.25};
  const Tensor half = Tensor::from<double>(std::vector<double>{0.5}, {1});
  sgd_step_({&tensor, 1}, {.momentum = 0.125, .gradient_scale = 4, .device_scale = half});
  CHECK(tensor.momentum.data<const double>()[0] == 0.125 * 16 + 3 * 2 + 8 * 0.25);
  CHECK(tensor.parameter.data<const double>()[0] == 8 - 0.5 * 10);
}

TEST_CASE("A flag of zero leaves everything as it is") {
  SgdTensor tensor = some_tensor({50}, 1);
  const Tensor parameter = tensor.parameter.clone(), momentum = tensor.momentum.clone();
  tensor.gradient.data<float>()[7] = NAN;
  sgd_step_({&tensor, 1}, {.momentum = 0.9, .finite = Tensor::zeros({1}, DType::kI32)});
  CHECK(count_different_bits(tensor.parameter, parameter) == 0);
  CHECK(count_different_bits(tensor.momentum, momentum) == 0);
}

TEST_CASE("A first step does not read the momentum") {
  SgdTensor tensor = some_tensor({40}, 1), other = some_tensor({40}, 1);
  std::fill_n(tensor.momentum.data<float>(), 40, NAN);
  sgd_step_({&tensor, 1}, {.momentum = 0.9, .first_step = true});
  fill_(other.momentum, 0);
  sgd_step_({&other, 1}, {.momentum = 0.9});
  CHECK(count_different_bits(tensor.parameter, other.parameter) == 0);
  CHECK(count_different_bits(tensor.momentum, other.momentum) == 0);
}

TEST_CASE("The number of threads does not change a bit") {
  const int before = num_threads();
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    SgdTensor tensor = some_tensor({100000}, 1);
    sgd_step_({&tensor, 1}, {.momentum = 0.9, .nesterov = true});
    results.push_back(tensor.parameter);
  }
  set_num_threads(before);
  for (const Tensor& result : results) CHECK(count_different_bits(result, results[0]) == 0);
}

TEST_CASE("Edges: no tensors, no elements, no gradients") {
  CHECK_NOTHROW(sgd_step_({}, {.momentum = 0.9}));
  std::vector<SgdTensor> tensors{some_tensor({0}, 1), some_tensor({3}, 2)};
  tensors[1].gradient = {};
  const Tensor kept = tensors[1].parameter.clone();
  sgd_step_(tensors, {.momentum = 0.9});
  CHECK(count_different_bits(tensors[1].parameter, kept) == 0);
}

SgdTensor on_device(const SgdTensor& tensor, Device device) {
  return {.parameter = copy_to(tensor.parameter, device),
          .gradient = copy_to(tensor.gradient, device),
          .momentum = copy_to(tensor.momentum, device),
          .lr = tensor.lr,
          .weight_decay = tensor.weight_decay};
}

TEST_CASE("CUDA gives the CPU's bits for more tensors than a launch takes") {
  test::on_cuda([](Device device) {
    std::vector<SgdTensor> cpu, cuda;
    for (uint64_t i = 0; i < 83; ++i) {
      const auto size = static_cast<int64_t>(i < 3 ? 4095 + i : i % 5);
      cpu.push_back(some_tensor({size}, 10 * i));
      cuda.push_back(on_device(cpu.back(), device));
    }
    cpu[4].gradient = cuda[4].gradient = {};
    const Tensor scale = Tensor::from<float>(std::vector<float>{0.75F}, {1});
    for (const bool first_step : {true, false}) {
      SgdParams params{.momentum = 0.9,
                       .nesterov = true,
                       .first_step = first_step,
                       .gradient_scale = 0.5,
                       .device_scale = scale};
      sgd_step_(cpu, params);
      params.device_scale = copy_to(scale, device);
      sgd_step_(cuda, params);
    }
    for (size_t i = 0; i < cpu.size(); ++i) {
      CHECK(count_different_bits(cuda[i].parameter, cpu[i].parameter) == 0);
      CHECK(count_different_bits(cuda[i].momentum, cpu[i].momentum) == 0);
    }
    const Tensor kept = copy_to(cuda[0].parameter, Device{});
    sgd_step_(cuda, {.momentum = 0.9, .finite = Tensor::zeros({1}, DType::kI32, device)});
    CHECK(count_different_bits(cuda[0].parameter, kept) == 0);
  });
}

TEST_CASE("CUDA matches torch over three steps") {
  test::on_cuda([](Device device) {
    for (const Golden& golden : kGoldens) check_golden(golden, DType::kF32, device, kF32Tolerance);
  });
}

}  // namespace
}  // namespace mrcnn
