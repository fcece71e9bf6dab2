#include "core/shape.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/error.h"

namespace mrcnn {
namespace {

TEST_CASE("Rejects too many, negative and overflowing extents") {
  CHECK_THROWS_WITH_AS(Shape({1, 2, 3, 4, 5, 6, 7}), doctest::Contains("7 dimensions, at most 6"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(Shape({2, -1}), doctest::Contains("negative extent -1 at axis 1"),
                       ShapeError);
  const int64_t big = int64_t{1} << 32;
  CHECK_THROWS_WITH_AS(Shape({big, big}), doctest::Contains("2^62"), ShapeError);
  CHECK(Shape({int64_t{1} << 31, int64_t{1} << 31}).numel() == int64_t{1} << 62);
}

TEST_CASE("A shape knows its rank, extents and number of elements") {
  const Shape shape{2, 100, 152, 64};
  CHECK(shape.rank() == 4);
  CHECK(shape.numel() == 2 * 100 * 152 * 64);
  CHECK(shape[0] == 2);
  CHECK(shape[3] == 64);
  CHECK(shape[-1] == 64);
  CHECK(shape[-4] == 2);
  CHECK(shape.extents().size() == 4);
  CHECK(shape.to_string() == "[2,100,152,64]");
}

TEST_CASE("A shape from a run of numbers equals the one from a list") {
  const std::vector<int64_t> extents{3, 4};
  CHECK(Shape(std::span<const int64_t>(extents)) == Shape{3, 4});
  CHECK(Shape{3, 4} != Shape{4, 3});
  CHECK(Shape{3, 4} != Shape{3, 4, 1});
}

TEST_CASE("Edges: a scalar has one element, an empty axis has none") {
  CHECK(Shape{}.rank() == 0);
  CHECK(Shape{}.numel() == 1);
  CHECK(Shape{}.to_string() == "[]");
  CHECK(Shape{4, 0, 7}.numel() == 0);
  const int64_t big = int64_t{1} << 40;
  CHECK(Shape{0, big, big}.numel() == 0);
}

}  // namespace
}  // namespace mrcnn
