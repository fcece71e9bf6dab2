#include "data/coco/annotation_writer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

Rle mask_of(const std::vector<std::string>& rows) {
  std::vector<uint8_t> bitmap;
  for (const std::string& row : rows) {
    for (const char c : row) bitmap.push_back(c == '#');
  }
  return rle_from_bitmap(bitmap, static_cast<int64_t>(rows.size()),
                         static_cast<int64_t>(rows[0].size()));
}

TEST_CASE("TextsAreEscaped") {
  CHECK(json_text("a\"b\\c\n") == "\"a\\\"b\\\\c\\u000a\"");
  CHECK(json_text("gr\xc3\xbcn") == "\"gr\xc3\xbcn\"");
  CHECK_THROWS_WITH_AS(json_text("\xff"), doctest::Contains("not UTF-8"), Error);
}

TEST_CASE("MasksWithoutHolesArePolygonsIfWanted") {
  const auto polygons = SegmentationForm::kPolygons;
  const Rle plain = mask_of({"....", ".##.", ".##."});
  CHECK(coco_segmentation(plain, polygons) == "[[3,1,3,3,1,3,1,1]]");
  CHECK(coco_segmentation(plain, SegmentationForm::kCompressedRle) ==
        "{\"size\":[3,4],\"counts\":\"42102\"}");
  CHECK(coco_segmentation(mask_of({"#..#"}), polygons) == "[[1,0,1,1,0,1,0,0],[4,0,4,1,3,1,3,0]]");
  CHECK(coco_segmentation(mask_of({"###", "#.#", "###"}), polygons).starts_with("{\"size\":[3,3]"));
  CHECK(coco_segmentation(mask_of({"..."}), polygons).starts_with("{\"size\":[1,3]"));
}

TEST_CASE("ADataSetBecomesOneText") {
  CocoAnnotationWriter writer("{\"year\":2012}", SegmentationForm::kPolygons);
  writer.add_class({.label = 1, .category_id = 7, .name = "cat"});
  writer.add_image({.id = 5, .path = "x/5.jpg", .file_name = "5.jpg", .height = 1, .width = 2});
  DatasetObject object;
  object.id = 9;
  object.box = {0.5, 0, 2, 1.25};
  object.area = 1;
  object.mask = mask_of({".#"});
  writer.add_object(object, 5, 7);
  object.id = 10;
  object.crowd = true;
  writer.add_object(object, 5, 7);
  const std::string record =
      "\"image_id\":5,\"category_id\":7,\"bbox\":[0.5,0,1.5,1.25],\"area\":1,\"iscrowd\":";
  const std::string mask = ",\"segmentation\":[[2,0,2,1,1,1,1,0]]}";
  CHECK(writer.finish() ==
        "{\"info\":{\"year\":2012},\n\"licenses\":[],\n\"categories\":[\n"
        "{\"id\":7,\"name\":\"cat\"}\n],\n\"images\":[\n"
        "{\"id\":5,\"file_name\":\"5.jpg\",\"height\":1,\"width\":2}\n],\n\"annotations\":[\n"
        "{\"id\":9," +
            record + "0" + mask + ",\n{\"id\":10," + record + "1" + mask + "\n]}\n");
  CHECK(writer.finish().starts_with(CocoAnnotationWriter::beginning("{\"year\":2012}")));
}

}  // namespace
}  // namespace mrcnn
