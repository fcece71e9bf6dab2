#include "data/image/exif.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace mrcnn {
namespace {

using namespace std::string_view_literals;

struct Found {
  int orientation;
  std::string warning;
};

Found read(std::string_view text) {
  std::vector<std::byte> bytes;
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  bytes.shrink_to_fit();  // a sanitizer sees every overrun
  std::vector<std::string> warnings;
  const int orientation = exif_orientation(bytes, warnings);
  return {orientation, warnings.empty() ? "" : warnings[0]};
}

void check_ignored(std::string_view text, const char* why) {
  const Found found = read(text);
  CHECK(found.orientation == 1);
  CHECK(found.warning.find(why) != std::string::npos);
}

TEST_CASE("RejectsDamagedBlocksWithAWarning") {
  check_ignored(""sv, "0 bytes are too few");
  check_ignored("MM\0*\0\0\0"sv, "7 bytes");
  check_ignored("XX\0*\0\0\0\x08"sv, "no TIFF header");
  check_ignored("MM\0+\0\0\0\x08"sv, "no TIFF header");
  check_ignored("MM\0*\0\0\0\x08"sv, "directory at 8 lies outside");
  check_ignored("MM\0*\xFF\xFF\xFF\xFF\0\1"sv, "lies outside");
  check_ignored("MM\0*\0\0\0\x08\xFF\xFF\1\0\0\3\0\0\0\1\0\6\0\0"sv, "entry 2 of 65535");
  check_ignored("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0"sv, "entry 1 of 1");
  check_ignored("MM\0*\0\0\0\x08\0\1\1\x12\0\4\0\0\0\1\0\0\0\6"sv, "type 4 and count 1");
  check_ignored("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\2\0\6\0\6"sv, "type 3 and count 2");
  check_ignored("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\0\0\0"sv, "orientation 0");
  check_ignored("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\x09\0\0"sv, "orientation 9");
  check_ignored("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\xFF\xFF\0\0"sv, "orientation 65535");
  CHECK_THROWS_AS(apply_orientation(Tensor::zeros(Shape{2, 3, 3}, DType::kU8), 9), ShapeError);
  CHECK_THROWS_AS(apply_orientation(Tensor::zeros(Shape{2, 3}, DType::kU8), 2), ShapeError);
}

TEST_CASE("ReadsBothByteOrders") {
  CHECK(read("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"sv).orientation == 6);
  CHECK(read("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"sv).orientation == 6);
  // A directory that lies over the header points into itself, which a reader of one directory
  // does not follow.
  CHECK(read("MM\0*\0\0\0\x04\0\0\0\0"sv).orientation == 1);
  const Found none = read("MM\0*\0\0\0\x08\0\1\1\0\0\3\0\0\0\1\0\6\0\0"sv);
  CHECK(none.orientation == 1);
  CHECK(none.warning.empty());
}

TEST_CASE("TurnsAsTheStandardSays") {
  // Rows 0 1 2 and 3 4 5 in the red channel; each expectation is the standard's definition of where
  // row 0 and column 0 of the stored picture are seen.
  std::vector<uint8_t> values(2 * 3 * 3);
  for (size_t i = 0; i < 6; ++i) values[3 * i] = static_cast<uint8_t>(i);
  const Tensor stored = Tensor::from(values, Shape{2, 3, 3});
  const std::vector<std::vector<int>> expected{
      {0, 1, 2, 3, 4, 5}, {2, 1, 0, 5, 4, 3}, {5, 4, 3, 2, 1, 0}, {3, 4, 5, 0, 1, 2},
      {0, 3, 1, 4, 2, 5}, {3, 0, 4, 1, 5, 2}, {5, 2, 4, 1, 3, 0}, {2, 5, 1, 4, 0, 3}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const Tensor turned = apply_orientation(stored, orientation);
    CHECK(turned.shape() == (orientation < 5 ? Shape{2, 3, 3} : Shape{3, 2, 3}));
    for (size_t i = 0; i < 6; ++i) {
      CHECK(turned.span<uint8_t>()[3 * i] == expected[static_cast<size_t>(orientation - 1)][i]);
    }
  }
}

}  // namespace
}  // namespace mrcnn
