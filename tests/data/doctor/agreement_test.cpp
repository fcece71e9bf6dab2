// How far a stated box and area may be from the mask.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "data/doctor/doctor.h"
#include "tests/data/doctor/planted_set.h"

namespace mrcnn {
namespace {

using enum FindingKind;
using Kinds = std::set<FindingKind>;

constexpr const char* kHead =
    R"({"categories": [{"id": 1, "name": "a"}], "images": [)"
    R"({"id": 1, "file_name": "a", "height": 400, "width": 600}], "annotations": [)";

Kinds kinds_of(const std::string& segmentation, const std::string& box, double area,
               int crowd = 0) {
  const test::TemporaryDirectory folder;
  const std::string text = fmt::format(
      "{}{{\"id\": 1, \"image_id\": 1, \"category_id\": 1, \"segmentation\": {}, \"bbox\": {}, "
      "\"area\": {}, \"iscrowd\": {}}}]}}",
      kHead, segmentation, box, area, crowd);
  Kinds kinds;
  for (const Finding& one : diagnose(folder.write("a.json", text)).report.findings) {
    kinds.insert(one.kind);
  }
  return kinds;
}

const std::string kSquare = test::rectangle_polygon(100, 100, 100, 100);
const std::string kSquareBox = "[100, 100, 100, 100]";

TEST_CASE("Conventions of tools agree") {
  CHECK(kinds_of(kSquare, kSquareBox, 10000).empty());
  // An outline through the middles of the pixels, with the mask's own area and box.
  const std::string traced = test::rectangle_polygon(100.5, 100.5, 99, 99);
  CHECK(kinds_of(traced, kSquareBox, 10000).empty());
  // The box of pixels counted from the first to the last.
  CHECK(kinds_of(kSquare, "[100, 100, 99, 99]", 9801).empty());
  // Polygons that overlap, once as COCO adds them up and once as the pixels are.
  const std::string twice = "[[100,100,200,100,200,200,100,200],[150,100,250,100,250,200,150,200]]";
  CHECK(kinds_of(twice, "[100, 100, 150, 100]", 20000).empty());
  CHECK(kinds_of(twice, "[100, 100, 150, 100]", 15000).empty());
  // A figure of eight, whose signed area is 0.
  CHECK(kinds_of("[[100,100,200,200,200,100,100,200]]", kSquareBox, 5000).empty());
}

TEST_CASE("Areas") {
  CHECK(kinds_of(kSquare, kSquareBox, 10450).empty());
  CHECK(kinds_of(kSquare, kSquareBox, 10600) == Kinds{kAreaDisagrees});
  CHECK(kinds_of(kSquare, kSquareBox, 9400) == Kinds{kAreaDisagrees});
  const std::string triangle = "[[100,100,200,100,100,200]]";
  CHECK(kinds_of(triangle, kSquareBox, 10000) == Kinds{kAreaDisagrees});
  CHECK(kinds_of(kSquare, kSquareBox, 0) == Kinds{kAreaNotPositive});
  // A crowd's area is compared loosely.
  CHECK(kinds_of(kSquare, kSquareBox, 16000, 1).empty());
  CHECK(kinds_of(kSquare, kSquareBox, 25000, 1) == Kinds{kAreaDisagrees});
  // Without a mask, an object is at most as large as its box.
  CHECK(kinds_of("[]", kSquareBox, 7000) == Kinds{kNoMasks});
  CHECK(kinds_of("[]", kSquareBox, 11000) == Kinds{kNoMasks, kAreaDisagrees});
}

TEST_CASE("Boxes") {
  CHECK(kinds_of(kSquare, "[97.5, 100, 102.5, 100]", 10000).empty());
  CHECK(kinds_of(kSquare, "[95, 100, 105, 100]", 10000) == Kinds{kBoxDisagrees});
  CHECK(kinds_of(kSquare, "[100, 100, 200, 200]", 10000) == Kinds{kBoxDisagrees});
  CHECK(kinds_of(kSquare, "[100, 100, 0.001, 100]", 10000) == Kinds{kBoxDisagrees});
  CHECK(kinds_of(kSquare, "[100, 100, -100, 100]", 10000) == Kinds{kBoxDegenerate});
  CHECK(kinds_of(kSquare, "[600, 100, 100, 100]", 10000) == Kinds{kBoxOutside});
  const std::string edge = test::rectangle_polygon(500, 300, 100.5, 100.5);
  CHECK(kinds_of(edge, "[500, 300, 100.5, 100.5]", 10100).empty());
  CHECK(kinds_of(edge, "[500, 300, 101.5, 100.5]", 10100) == Kinds{kBoxPastBorder});
}

TEST_CASE("Thin masks that pass between the middles of pixels are empty") {
  CHECK(kinds_of("[[100,100.1,200,100.1,200,100.3,100,100.3]]", "[100, 100.1, 100, 0.2]", 20) ==
        Kinds{kMaskEmpty});
  CHECK(kinds_of("[[100,100.1,200,100.1,200,101.3,100,101.3]]", "[100, 100.1, 100, 1.2]", 120)
            .empty());
}

}  // namespace
}  // namespace mrcnn
