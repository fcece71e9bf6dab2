#include "core/tensor.h"

#include <doctest/doctest.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "core/allocator.h"
#include "core/error.h"

namespace mrcnn {
namespace {

Tensor counting(const Shape& shape) {
  Tensor tensor = Tensor::empty(shape, DType::kI32);
  const auto values = tensor.span<int32_t>();
  std::iota(values.begin(), values.end(), 0);
  return tensor;
}

TEST_CASE("Rejects access to elements of another type and to undefined tensors") {
  const Tensor tensor = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(static_cast<void>(tensor.data<double>()),
                       doctest::Contains("elements of f64: [2,3] f32 cpu"), DTypeError);
  CHECK_THROWS_AS(static_cast<void>(tensor.span<int32_t>()), DTypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(Tensor{}.data<float>()), doctest::Contains("undefined"),
                       ShapeError);
}

TEST_CASE("Rejects devices without an allocator") {
  const Device gpu{.kind = DeviceKind::kCuda, .index = 1};
  CHECK_THROWS_WITH_AS(Tensor::empty({1}, DType::kF32, gpu), doctest::Contains("cuda:1"),
                       DeviceError);
}

TEST_CASE("Rejects views that do not fit") {
  const Tensor tensor = counting({4, 3});
  CHECK_THROWS_WITH_AS(tensor.reshape({5, 3}), doctest::Contains("12 elements as [5,3]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(tensor.slice(1, 5), doctest::Contains("rows 1..5"), ShapeError);
  CHECK_THROWS_AS(tensor.slice(-1, 2), ShapeError);
  CHECK_THROWS_AS(tensor.slice(3, 2), ShapeError);
  CHECK_THROWS_AS(Tensor::zeros({}).slice(0, 1), ShapeError);
  CHECK_THROWS_AS(Tensor::from<float>(std::vector<float>{1, 2, 3}, {2, 2}), ShapeError);
}

TEST_CASE("A tensor knows what it is") {
  const Tensor tensor = Tensor::zeros({2, 5}, DType::kBF16);
  CHECK(tensor.defined());
  CHECK(tensor.rank() == 2);
  CHECK(tensor.size(-1) == 5);
  CHECK(tensor.numel() == 10);
  CHECK(tensor.bytes() == 20);
  CHECK(tensor.dtype() == DType::kBF16);
  CHECK(tensor.device() == Device{});
  CHECK(tensor.describe() == "[2,5] bf16 cpu");
  CHECK_FALSE(Tensor{}.defined());
  CHECK(Tensor{}.describe() == "undefined");
}

TEST_CASE("zeros is zero even in memory that was used before") {
  for (int round = 0; round < 3; ++round) {
    Tensor tensor = Tensor::zeros({1000}, DType::kI64);
    for (int64_t& value : tensor.span<int64_t>()) {
      REQUIRE(value == 0);
      value = -1;
    }
  }
}

TEST_CASE("Copies of the handle and views share the elements") {
  const Tensor tensor = counting({4, 3});
  const Tensor alias = tensor;
  const Tensor flat = tensor.reshape({2, 6});
  const Tensor rows = tensor.slice(1, 3);
  CHECK(flat.shape() == Shape{2, 6});
  CHECK(rows.shape() == Shape{2, 3});
  CHECK(rows.data<int32_t>() == tensor.data<int32_t>() + 3);
  rows.data<int32_t>()[0] = 77;
  CHECK(tensor.data<const int32_t>()[3] == 77);
  CHECK(alias.data<const int32_t>()[3] == 77);
  CHECK(flat.data<const int32_t>()[3] == 77);
  CHECK(rows.slice(1, 2).data<const int32_t>()[0] == 6);
}

TEST_CASE("A view keeps the memory alive") {
  Tensor rows;
  {
    const Tensor tensor = counting({4, 3});
    rows = tensor.slice(2, 4);
  }
  CHECK(rows.data<const int32_t>()[0] == 6);
  CHECK(rows.data<const int32_t>()[5] == 11);
}

TEST_CASE("A clone has its own elements") {
  const Tensor tensor = counting({4, 3});
  const Tensor copy = tensor.slice(1, 3).clone();
  CHECK(copy.shape() == Shape{2, 3});
  tensor.data<int32_t>()[3] = 77;
  CHECK(copy.data<const int32_t>()[0] == 3);
  CHECK_FALSE(Tensor{}.clone().defined());
}

TEST_CASE("A borrowed tensor reads its owner's memory and releases it last") {
  const std::shared_ptr<std::byte> memory = allocate_host(64);
  const float values[] = {1.5F, -2};
  std::memcpy(memory.get(), values, sizeof values);
  Tensor tensor = Tensor::borrow(memory, {2}, DType::kF32);
  CHECK(tensor.data<const float>()[1] == -2);
  CHECK(memory.use_count() == 2);
  tensor = Tensor{};
  CHECK(memory.use_count() == 1);
}

TEST_CASE("Edges: empty tensors and scalars") {
  const Tensor empty = Tensor::empty({0, 3});
  CHECK(empty.defined());
  CHECK(empty.span<const float>().empty());
  CHECK(empty.slice(0, 0).shape() == Shape{0, 3});
  CHECK(empty.reshape({3, 0}).shape() == Shape{3, 0});
  CHECK(empty.clone().defined());
  CHECK(Tensor::zeros({}).data<const float>()[0] == 0);
  CHECK(Tensor::from<float>(std::vector<float>{}, {0}).numel() == 0);
}

}  // namespace
}  // namespace mrcnn
