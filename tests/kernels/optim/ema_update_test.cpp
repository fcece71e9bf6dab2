#include "kernels/optim/ema_update.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/error.h"
#include "kernels/linalg/linear.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::count_different_bits;
using test::random_tensor;

TEST_CASE("Rejects tensors and decays that do not fit") {
  const auto update = [](const EmaTensor& tensor, double decay) {
    ema_update_({&tensor, 1}, decay);
  };
  const Tensor value = random_tensor({2, 3}, 1);
  CHECK_THROWS_WITH_AS(update({random_tensor({3, 2}, 1), value}, 0.9),
                       doctest::Contains("[ema_update_] average and value differ in shape"),
                       ShapeError);
  CHECK_THROWS_AS(update({Tensor{}, value}, 0.9), ShapeError);
  CHECK_THROWS_AS(update({random_tensor<double>({2, 3}, 1), value}, 0.9), DTypeError);
  CHECK_THROWS_WITH_AS(update({value, value}, 1.5), doctest::Contains("decay 1.5"), UsageError);
  Tensor leaf = random_tensor({3, 3}, 1);
  leaf.require_grad();
  const Tensor result = linear(value, leaf, {});
  CHECK_THROWS_WITH_AS(update({result, value}, 0.5), doctest::Contains("recorded"), UsageError);
}

TEST_CASE("The average moves by the rest of the decay") {
  const EmaTensor tensor{.average = Tensor::from<double>(std::vector<double>{8, -2}, {2}),
                         .value = Tensor::from<double>(std::vector<double>{4, 6}, {2})};
  ema_update_({&tensor, 1}, 0.75);
  CHECK(tensor.average.data<const double>()[0] == 7);
  CHECK(tensor.average.data<const double>()[1] == 0);
  ema_update_({&tensor, 1}, 0);
  CHECK(count_different_bits(tensor.average, tensor.value) == 0);
}

TEST_CASE("Many tensors in f32 match f64") {
  std::vector<EmaTensor> narrow, wide;
  for (const int64_t size : {0, 1, 17, 50000}) {
    narrow.push_back({random_tensor({size}, 1), random_tensor({size}, 2)});
    wide.push_back(
        {cast(narrow.back().average, DType::kF64), cast(narrow.back().value, DType::kF64)});
  }
  ema_update_(narrow, 0.9998);
  ema_update_(wide, 0.9998);
  for (size_t i = 0; i < narrow.size(); ++i) {
    // Three roundings of numbers of order 1.
    CHECK(test::count_far(narrow[i].average, cast(wide[i].average, DType::kF32), 0, 2e-7F) == 0);
  }
}

TEST_CASE("Edges: no tensors") { CHECK_NOTHROW(ema_update_({}, 0.9)); }

TEST_CASE("CUDA gives the CPU's bits for more tensors than a launch takes") {
  test::on_cuda([](Device device) {
    std::vector<EmaTensor> cpu, cuda;
    for (int64_t i = 0; i < 83; ++i) {
      const int64_t size = i == 1 ? 4097 : i % 4;
      cpu.push_back({random_tensor({size}, 1), random_tensor({size}, 2)});
      cuda.push_back({copy_to(cpu.back().average, device), copy_to(cpu.back().value, device)});
    }
    ema_update_(cpu, 0.99);
    ema_update_(cuda, 0.99);
    for (size_t i = 0; i < cpu.size(); ++i) {
      CHECK(count_different_bits(cuda[i].average, cpu[i].average) == 0);
    }
  });
}

}  // namespace
}  // namespace mrcnn
