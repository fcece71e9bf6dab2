#include "kernels/optim/all_finite.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "core/error.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

template <typename T>
const std::vector<T> kBadValues{std::numeric_limits<T>::infinity(),
                                -std::numeric_limits<T>::infinity(),
                                std::numeric_limits<T>::quiet_NaN()};

int32_t flag_of(const std::vector<Tensor>& tensors) {
  return copy_to(all_finite(tensors), Device{}).data<const int32_t>()[0];
}

template <typename T>
void check_every_place() {
  const Tensor tensor = random_tensor<T>({40}, 1);
  tensor.template data<T>()[3] = std::numeric_limits<T>::max();
  tensor.template data<T>()[4] = std::numeric_limits<T>::denorm_min();
  CHECK(flag_of({tensor}) == 1);
  for (const T bad : kBadValues<T>) {
    for (int64_t i = 0; i < 40; ++i) {
      const T kept = tensor.template data<T>()[i];
      tensor.template data<T>()[i] = bad;
      CHECK(flag_of({random_tensor<T>({9}, 2), tensor, Tensor{}}) == 0);
      tensor.template data<T>()[i] = kept;
    }
  }
}

TEST_CASE("Rejects tensors of several types and integers") {
  CHECK_THROWS_AS(flag_of({random_tensor({2}, 1), random_tensor<double>({2}, 1)}), DTypeError);
  CHECK_THROWS_AS(flag_of({Tensor::zeros({2}, DType::kI32)}), DTypeError);
}

TEST_CASE("One infinity or NaN anywhere is found") {
  check_every_place<float>();
  check_every_place<double>();
  const Tensor large = random_tensor({100000}, 1);
  CHECK(flag_of({large}) == 1);
  large.data<float>()[99999] = std::numeric_limits<float>::quiet_NaN();
  CHECK(flag_of({large}) == 0);
}

TEST_CASE("Edges: nothing is finite") {
  CHECK(flag_of({}) == 1);
  CHECK(flag_of({Tensor{}, Tensor{}}) == 1);
  CHECK(flag_of({Tensor::empty({0})}) == 1);
}

TEST_CASE("CUDA finds one infinity or NaN anywhere") {
  test::on_cuda([](Device device) {
    std::vector<Tensor> tensors(83);
    for (size_t i = 0; i < tensors.size(); ++i) {
      tensors[i] = copy_to(random_tensor({static_cast<int64_t>(i % 3)}, 1), device);
    }
    for (const int64_t place : {0, 255, 4095, 4096}) {
      const Tensor large = random_tensor({4097}, 2);
      tensors[80] = copy_to(large, device);
      CHECK(flag_of(tensors) == 1);
      for (const float bad : kBadValues<float>) {
        large.data<float>()[place] = bad;
        tensors[80] = copy_to(large, device);
        CHECK(flag_of(tensors) == 0);
      }
    }
  });
}

}  // namespace
}  // namespace mrcnn
