#include "core/primitives.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"

namespace mrcnn {
namespace {

using test::random_tensor;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr DType kAllTypes[] = {DType::kF32, DType::kF64, DType::kBF16, DType::kI32,
                               DType::kI64, DType::kU8,  DType::kBool};

// The values after a cast, back as f64.
std::vector<double> cast_through(const std::vector<double>& values, DType dtype) {
  const Tensor input = Tensor::from<double>(values, {static_cast<int64_t>(values.size())});
  const Tensor result = cast(cast(input, dtype), DType::kF64);
  const auto span = result.span<const double>();
  return {span.begin(), span.end()};
}

TEST_CASE("Rejects undefined and unequal tensors") {
  const Tensor a = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(fill_(Tensor{}, 1), doctest::Contains("[fill_]"), ShapeError);
  CHECK_THROWS_WITH_AS(cast(Tensor{}, DType::kF32), doctest::Contains("[cast]"), ShapeError);
  CHECK_THROWS_WITH_AS(copy_(a, Tensor::zeros({3, 2})),
                       doctest::Contains("[copy_] tensors differ in shape: [2,3]"), ShapeError);
  CHECK_THROWS_WITH_AS(copy_(a, Tensor::zeros({2, 3}, DType::kI32)),
                       doctest::Contains("differ in type"), DTypeError);
  CHECK_THROWS_AS(copy_(a, Tensor{}), ShapeError);
  CHECK_THROWS_AS(accumulate_(Tensor{}, Tensor{}), ShapeError);
  CHECK_THROWS_AS(accumulate_(a, Tensor::zeros({2, 3}, DType::kF64)), DTypeError);
  const Tensor integers = Tensor::zeros({2}, DType::kI32);
  CHECK_THROWS_WITH_AS(accumulate_(integers, integers), doctest::Contains("f32 or f64"),
                       DTypeError);
}

TEST_CASE("fill_ refuses what an integer cannot hold") {
  CHECK_THROWS_WITH_AS(fill_(Tensor::zeros({2}, DType::kU8), 256),
                       doctest::Contains("cannot be held: [2] u8 cpu"), UsageError);
  CHECK_THROWS_AS(fill_(Tensor::zeros({2}, DType::kU8), -1), UsageError);
  CHECK_THROWS_AS(fill_(Tensor::zeros({2}, DType::kI32), 0.5), UsageError);
  CHECK_THROWS_AS(fill_(Tensor::zeros({2}, DType::kI32), kNaN), UsageError);
  CHECK_THROWS_AS(fill_(Tensor::zeros({2}, DType::kI64), 0x1p63), UsageError);
  CHECK_THROWS_AS(fill_(Tensor::zeros({2}, DType::kBool), 2), UsageError);
}

TEST_CASE("fill_ sets every element of every type") {
  for (const DType dtype : kAllTypes) {
    CAPTURE(dtype_name(dtype));
    const Tensor tensor = Tensor::zeros({3, 70001}, dtype);
    fill_(tensor, 1);
    const Tensor values = cast(tensor, DType::kF64);
    const auto span = values.span<const double>();
    CHECK(std::all_of(span.begin(), span.end(), [](double value) { return value == 1; }));
  }
  const Tensor part = Tensor::zeros({4, 2});
  fill_(part.slice(1, 3), -2.5);
  CHECK(part.data<const float>()[1] == 0);
  CHECK(part.data<const float>()[2] == -2.5F);
  CHECK(part.data<const float>()[6] == 0);
  const Tensor limit = Tensor::zeros({1}, DType::kI64);
  fill_(limit, -0x1p63);
  CHECK(limit.data<const int64_t>()[0] == std::numeric_limits<int64_t>::min());
}

TEST_CASE("copy_ copies bytes of every type, also onto itself") {
  for (const DType dtype : kAllTypes) {
    CAPTURE(dtype_name(dtype));
    const Tensor source = cast(random_tensor({300, 1001}, 1, 0, 200), dtype);
    const Tensor destination = Tensor::zeros({300, 1001}, dtype);
    copy_(destination, source);
    CHECK(std::equal(source.raw(), source.raw() + source.bytes(), destination.raw()));
    copy_(destination, destination);
    CHECK(std::equal(source.raw(), source.raw() + source.bytes(), destination.raw()));
  }
}

TEST_CASE("accumulate_ adds, also a tensor to itself") {
  const Tensor addend = random_tensor({70001}, 1);
  const Tensor sum = random_tensor({70001}, 2);
  const Tensor before = sum.clone();
  accumulate_(sum, addend);
  int64_t wrong = 0;
  for (int64_t i = 0; i < sum.numel(); ++i) {
    const float expected = before.data<const float>()[i] + addend.data<const float>()[i];
    if (sum.data<const float>()[i] != expected) ++wrong;
  }
  CHECK(wrong == 0);
  const Tensor twice = random_tensor<double>({5}, 3);
  const double value = twice.data<const double>()[4];
  accumulate_(twice, twice);
  CHECK(twice.data<const double>()[4] == 2 * value);
}

TEST_CASE("Small whole numbers survive every pair of types") {
  const Tensor values = Tensor::from<double>(std::vector<double>{0, 1, 2, 100, 127}, {5});
  for (const DType from : kAllTypes) {
    for (const DType to : kAllTypes) {
      CAPTURE(dtype_name(from));
      CAPTURE(dtype_name(to));
      const Tensor result = cast(cast(cast(values, from), to), DType::kF64);
      const bool is_truth = from == DType::kBool || to == DType::kBool;
      for (int64_t i = 0; i < 5; ++i) {
        const double value = values.data<const double>()[i];
        CHECK(result.data<const double>()[i] == (is_truth ? std::min(value, 1.0) : value));
      }
    }
  }
}

TEST_CASE("Floats round to nearest even, overflow to infinity and keep NaN") {
  const double tie = 1 + 0x1p-24;  // between two f32 values
  CHECK(cast_through({tie, tie + 0x1p-40, 1 + 3 * 0x1p-24}, DType::kF32) ==
        std::vector<double>{1, 1 + 0x1p-23, 1 + 0x1p-22});
  CHECK(cast_through({1 + 0x1p-8, 1 + 3 * 0x1p-8, -1 - 0x1p-7}, DType::kBF16) ==
        std::vector<double>{1, 1 + 0x1p-6, -1 - 0x1p-7});
  CHECK(cast_through({1e300, -kInfinity}, DType::kF32) ==
        std::vector<double>{kInfinity, -kInfinity});
  CHECK(cast_through({1e300, -3.4e38}, DType::kBF16)[0] == kInfinity);
  for (const DType dtype : {DType::kF32, DType::kF64, DType::kBF16}) {
    CHECK(std::isnan(cast_through({kNaN}, dtype)[0]));
  }
}

TEST_CASE("Floats become integers towards zero, limited to the range, NaN to 0") {
  CHECK(cast_through({2.9, -2.9, 1e10, -1e10, kNaN, kInfinity}, DType::kI32) ==
        std::vector<double>{2, -2, 2147483647, -2147483648.0, 0, 2147483647});
  CHECK(cast_through({254.99, 255, 300, -0.5, -7}, DType::kU8) ==
        std::vector<double>{254, 255, 255, 0, 0});
  const Tensor wide =
      cast(Tensor::from<double>(std::vector<double>{0x1p63, -0x1p63, 0x1p62}, {3}), DType::kI64);
  CHECK(wide.data<const int64_t>()[0] == std::numeric_limits<int64_t>::max());
  CHECK(wide.data<const int64_t>()[1] == std::numeric_limits<int64_t>::min());
  CHECK(wide.data<const int64_t>()[2] == int64_t{1} << 62);
  // f32 cannot hold 2^31 - 1: the limit compared against is 2^31.
  const Tensor narrow =
      cast(Tensor::from<float>(std::vector<float>{2147483648.0F, 2147483520.0F}, {2}), DType::kI32);
  CHECK(narrow.data<const int32_t>()[0] == 2147483647);
  CHECK(narrow.data<const int32_t>()[1] == 2147483520);
}

TEST_CASE("Integers wrap into narrower ones; anything but 0 is true") {
  const Tensor wide =
      Tensor::from<int64_t>(std::vector<int64_t>{256, -1, (int64_t{1} << 32) + 7}, {3});
  CHECK(cast(wide, DType::kU8).data<const uint8_t>()[0] == 0);
  CHECK(cast(wide, DType::kU8).data<const uint8_t>()[1] == 255);
  CHECK(cast(wide, DType::kI32).data<const int32_t>()[2] == 7);
  CHECK(cast(wide, DType::kBool).data<const bool>()[0]);
  CHECK(cast_through({0, -0.0, 0.25, kNaN, -kInfinity}, DType::kBool) ==
        std::vector<double>{0, 0, 1, 1, 1});
}

// Around one vector and one block of every element size.
constexpr int64_t kCounts[] = {0, 1, 3, 31, 33, 257, 2049};

TEST_CASE("CUDA fill_ sets every element of every type, and no neighbour") {
  test::on_cuda([](Device device) {
    for (const DType dtype : kAllTypes) {
      CAPTURE(dtype_name(dtype));
      for (const int64_t count : kCounts) {
        CAPTURE(count);
        // Row 1 of three starts between vectors for most counts.
        const Tensor expected = Tensor::zeros({3, count}, dtype);
        fill_(expected.slice(1, 2), 1);
        const Tensor actual = Tensor::zeros({3, count}, dtype, device);
        fill_(actual.slice(1, 2), 1);
        CHECK(test::count_different_bits(actual, expected) == 0);
      }
    }
    CHECK_THROWS_AS(fill_(Tensor::zeros({2}, DType::kU8, device), 256), UsageError);
  });
}

TEST_CASE("CUDA copy_ copies, also between slices and onto itself") {
  test::on_cuda([](Device device) {
    const Tensor source = random_tensor({3, 33}, 1);
    const Tensor on_device = copy_to(source, device);
    const Tensor copy = Tensor::empty({1, 33}, DType::kF32, device);
    copy_(copy, on_device.slice(1, 2));
    copy_(copy, copy);
    CHECK(test::count_different_bits(copy, source.slice(1, 2)) == 0);
    copy_(Tensor::empty({0}, DType::kF32, device), Tensor::empty({0}, DType::kF32, device));
    CHECK_THROWS_WITH_AS(copy_(copy, source.slice(1, 2)), doctest::Contains("different devices"),
                         DeviceError);
  });
}

TEST_CASE("CUDA accumulate_ adds as the CPU does, also a slice to itself") {
  test::on_cuda([](Device device) {
    for (const int64_t count : kCounts) {
      CAPTURE(count);
      const Tensor addend = random_tensor({count}, 1), before = random_tensor({count}, 2);
      const Tensor expected = before.clone();
      accumulate_(expected, addend);
      const Tensor sum = copy_to(before, device);
      accumulate_(sum, copy_to(addend, device));
      CHECK(test::count_different_bits(sum, expected) == 0);

      const Tensor expected_bf16 = test::rounded_to_bf16(before);
      accumulate_(expected_bf16, test::rounded_to_bf16(addend));
      const Tensor sum_bf16 = cast(copy_to(before, device), DType::kBF16);
      accumulate_(sum_bf16, cast(copy_to(addend, device), DType::kBF16));
      CHECK(test::count_different_bits(sum_bf16, cast(expected_bf16, DType::kBF16)) == 0);
    }
    const Tensor rows = random_tensor({3, 67}, 3);
    const Tensor twice = copy_to(rows, device);
    accumulate_(twice.slice(1, 2), twice.slice(1, 2));
    accumulate_(rows.slice(1, 2), rows.slice(1, 2));
    CHECK(test::count_different_bits(twice, rows) == 0);
    const Tensor f64 = Tensor::zeros({2}, DType::kF64, device);
    CHECK_THROWS_WITH_AS(accumulate_(f64, f64), doctest::Contains("f32 or bf16"), DTypeError);
  });
}

TEST_CASE("CUDA cast follows the same rules between every pair of types") {
  std::vector<double> values = {
      0,          -0.0,           0.25,       1,     -1,     2.9,  -2.9,      255,        300,
      256,        1e10,           -1e10,      1e300, -1e300, kNaN, kInfinity, -kInfinity, 0x1p62,
      1 + 0x1p-8, 1 + 3 * 0x1p-8, 1 + 0x1p-24};
  while (values.size() < 67) values.push_back(static_cast<double>(values.size()) * 1.37 - 40);
  const Tensor original = Tensor::from<double>(values, {67});
  test::on_cuda([&](Device device) {
    for (const DType from : kAllTypes) {
      const Tensor input = cast(original, from);
      const Tensor on_device = copy_to(input, device);
      for (const DType to : kAllTypes) {
        CAPTURE(dtype_name(from));
        CAPTURE(dtype_name(to));
        CHECK(test::count_different_bits(cast(on_device, to), cast(input, to)) == 0);
        CHECK(test::count_different_bits(cast(on_device.slice(1, 67), to),
                                         cast(input.slice(1, 67), to)) == 0);
      }
    }
    CHECK(cast(Tensor::empty({0, 4}, DType::kF32, device), DType::kBF16).numel() == 0);
  });
}

TEST_CASE("CUDA fill_, copy_, accumulate_ and cast can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor input = random_tensor({33}, 5);
    const Tensor there = copy_to(input, device);
    const Tensor output = test::replayed(device, [&] {
      const Tensor sum = Tensor::empty({33}, DType::kF32, device);
      const Tensor ones = Tensor::empty({33}, DType::kF32, device);
      copy_(sum, there);
      fill_(ones, 1);
      accumulate_(sum, ones);
      return cast(sum, DType::kBF16);
    });
    const Tensor expected = input.clone(), ones = Tensor::zeros({33});
    fill_(ones, 1);
    accumulate_(expected, ones);
    CHECK(test::count_different_bits(output, cast(expected, DType::kBF16)) == 0);
  });
}

TEST_CASE("Edges: empty tensors, and a cast to the same type is a copy") {
  CHECK(cast(Tensor::empty({0, 4}), DType::kI64).shape() == Shape{0, 4});
  fill_(Tensor::empty({0}), 1);
  accumulate_(Tensor::empty({0}), Tensor::empty({0}));
  const Tensor tensor = random_tensor({3}, 1);
  const Tensor copy = cast(tensor, DType::kF32);
  CHECK(copy.raw() != tensor.raw());
  CHECK(copy.data<const float>()[2] == tensor.data<const float>()[2]);
}

}  // namespace
}  // namespace mrcnn
