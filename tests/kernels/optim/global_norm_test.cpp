#include "kernels/optim/global_norm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

double plain_norm(const std::vector<Tensor>& tensors) {
  double sum = 0;
  for (const Tensor& tensor : tensors) {
    if (!tensor.defined()) continue;
    const Tensor wide = cast(tensor, DType::kF64);
    for (const double value : wide.span<const double>()) sum += value * value;
  }
  return std::sqrt(sum);
}

TEST_CASE("Rejects tensors of several types and what is no norm") {
  const std::vector<Tensor> mixed{random_tensor({2}, 1), random_tensor<double>({2}, 1)};
  CHECK_THROWS_WITH_AS(global_norm(mixed), doctest::Contains("[global_norm] tensors differ"),
                       DTypeError);
  CHECK_THROWS_AS(global_norm(std::vector<Tensor>{Tensor::zeros({2}, DType::kI32)}), DTypeError);
  CHECK_THROWS_WITH_AS(clip_coefficient(random_tensor({2}, 1), 1), doctest::Contains("norm must"),
                       ShapeError);
  CHECK_THROWS_AS(clip_coefficient(random_tensor({1}, 1), 0), UsageError);
}

TEST_CASE("The norm is that of all tensors as one vector") {
  const std::vector<Tensor> by_hand{Tensor::from<float>(std::vector<float>{3, 0}, {2}), Tensor{},
                                    Tensor::from<float>(std::vector<float>{-4}, {1, 1})};
  CHECK(global_norm(by_hand).data<const float>()[0] == 5.0F);
  const std::vector<Tensor> many{random_tensor({3, 5}, 1), random_tensor({40000}, 2),
                                 random_tensor({0}, 3), random_tensor({16}, 4)};
  CHECK(global_norm(many).data<const float>()[0] == static_cast<float>(plain_norm(many)));
  const std::vector<Tensor> wide{random_tensor<double>({1000}, 1)};
  CHECK(global_norm(wide).data<const double>()[0] ==
        doctest::Approx(plain_norm(wide)).epsilon(1e-14));
}

TEST_CASE("The coefficient shortens long gradients only, as torch does") {
  const auto coefficient = [](float norm, double max_norm) {
    return clip_coefficient(Tensor::from<float>(std::vector<float>{norm}, {1}), max_norm)
        .data<const float>()[0];
  };
  CHECK(coefficient(4, 2) == 2.0F / (4.0F + 1e-6F));
  CHECK(coefficient(1, 2) == 1.0F);
  CHECK(coefficient(0, 2) == 1.0F);
  CHECK(coefficient(INFINITY, 2) == 0.0F);
  CHECK(std::isnan(coefficient(NAN, 2)));
}

TEST_CASE("The number of threads does not change a bit") {
  const std::vector<Tensor> tensors{random_tensor<double>({100000}, 1),
                                    random_tensor<double>({33333}, 2)};
  const int before = num_threads();
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    results.push_back(global_norm(tensors));
  }
  set_num_threads(before);
  for (const Tensor& result : results) CHECK(test::count_different_bits(result, results[0]) == 0);
}

TEST_CASE("Edges: nothing, infinities, NaN") {
  CHECK(global_norm({}).data<const float>()[0] == 0.0F);
  CHECK(global_norm(std::vector<Tensor>{Tensor{}}).shape() == Shape{1});
  for (const float value : {INFINITY, NAN}) {
    const std::vector<Tensor> tensors{random_tensor({20}, 1)};
    tensors[0].data<float>()[17] = value;
    CHECK_FALSE(std::isfinite(global_norm(tensors).data<const float>()[0]));
  }
}

TEST_CASE("CUDA matches the CPU, for more tensors than a launch takes") {
  test::on_cuda([](Device device) {
    for (const int count : {0, 1, 83}) {
      std::vector<Tensor> cpu{random_tensor({4097}, 1)}, cuda{copy_to(cpu[0], device)};
      for (int i = 0; i < count; ++i) {
        cpu.push_back(i == 2 ? Tensor{} : random_tensor({i % 4}, 2));
        cuda.push_back(copy_to(cpu.back(), device));
      }
      const Tensor expected = global_norm(cpu), norm = global_norm(cuda);
      // Sixteen squares a thread in f32, then a tree.
      CHECK(test::count_far(norm, expected, 1e-6F) == 0);
      CHECK(test::count_far(clip_coefficient(norm, 2), clip_coefficient(expected, 2), 1e-6F) == 0);
    }
  });
}

}  // namespace
}  // namespace mrcnn
