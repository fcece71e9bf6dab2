#include "tools/infer/coco_results.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <filesystem>

#include "core/error.h"
#include "data/masks/rle.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/infer/fake_instances.h"

using namespace mrcnn;
using test::TemporaryDirectory;

namespace {

// A 3 x 2 block at column 1, row 1 of a 5 x 6 picture.
Rle block() {
  std::vector<uint8_t> bitmap(30, 0);
  for (const size_t at : {7, 8, 13, 14, 19, 20}) bitmap[at] = 1;
  return rle_from_bitmap(bitmap, 5, 6);
}

ImageResult result(const std::string& path, int64_t id, const Instances& instances,
                   const std::vector<Rle>& masks) {
  return {.path = path, .image_id = id, .instances = instances, .masks = masks};
}

}  // namespace

TEST_CASE("RejectsAPlaceThatCannotBeWritten") {
  const TemporaryDirectory folder;
  CHECK_THROWS_AS(CocoResults(folder / "missing/r.json", MaskForm::kRle), FileError);
  CHECK_THROWS_AS(CocoResults(folder.path(), MaskForm::kRle), FileError);
}

TEST_CASE("WritesCocoRecords") {
  const TemporaryDirectory folder;
  const std::string file = folder / "r.json";
  const std::vector<Rle> masks = {block(), block()};
  CocoResults results(file, MaskForm::kRle);
  results.consume(result("a \"b\".jpg", 139, test::fake_instances(5, 6, {17, 3}), masks));
  results.consume(result("none.jpg", 140, test::fake_instances(5, 6, {}), {}));
  CHECK_FALSE(std::filesystem::exists(file));
  results.finish();
  CHECK(test::read_text(file) ==
        "[\n"
        R"({"image_id":139,"category_id":17,"bbox":[0,0,10,5.5],"score":0.9,)"
        R"("segmentation":{"size":[5,6],"counts":")" +
            rle_to_string(block()) + R"("},"file_name":"a \"b\".jpg"},)" +
            "\n"
            R"({"image_id":139,"category_id":3,"bbox":[1,2,10,5.5],"score":0.8,)"
            R"("segmentation":{"size":[5,6],"counts":")" +
            rle_to_string(block()) + R"("},"file_name":"a \"b\".jpg"})" + "\n]\n");
}

TEST_CASE("CountsReadBackThroughAJsonParser") {
  const TemporaryDirectory folder;
  // Runs of 1 and long ones give '\' among others in the compressed form.
  std::vector<uint8_t> bitmap(300 * 200);
  for (size_t i = 0; i < bitmap.size(); ++i) bitmap[i] = (i * i / 77) % 3 == 0 ? 1 : 0;
  const Rle mask = rle_from_bitmap(bitmap, 300, 200);
  CocoResults results(folder / "r.json", MaskForm::kRle);
  const std::vector<Rle> masks = {mask};
  results.consume(result("a.jpg", 1, test::fake_instances(300, 200, {1}), masks));
  results.finish();
  simdjson::dom::parser parser;
  const simdjson::dom::element record = parser.load(folder / "r.json").at(0);
  const std::string_view counts = record["segmentation"]["counts"];
  CHECK(rle_from_string(counts, 300, 200) == mask);
  CHECK(std::string_view(record["file_name"]) == "a.jpg");
}

TEST_CASE("WritesPolygons") {
  const TemporaryDirectory folder;
  CocoResults results(folder / "r.json", MaskForm::kPolygons);
  const std::vector<Rle> masks = {block(), Rle{.height = 5, .width = 6, .counts = {30}}};
  results.consume(result("a.jpg", 1, test::fake_instances(5, 6, {1, 1}), masks));
  results.finish();
  simdjson::dom::parser parser;
  const simdjson::dom::element records = parser.load(folder / "r.json");
  const simdjson::dom::array polygons = records.at(0)["segmentation"];
  REQUIRE(polygons.size() == 1);
  CHECK(simdjson::dom::array(polygons.at(0)).size() == 8);
  double left = 100;
  double right = 0;
  for (size_t i = 0; i < 8; i += 2) {
    left = std::min(left, double(polygons.at(0).at(i)));
    right = std::max(right, double(polygons.at(0).at(i)));
  }
  CHECK(left == 1);
  CHECK(right == 3);
  // An empty mask has no outline; pycocotools refuses an empty list, so it stays run lengths.
  CHECK(std::string_view(records.at(1)["segmentation"]["counts"]) == rle_to_string(masks[1]));
}

TEST_CASE("NothingIsLeftBehindWithoutFinish") {
  const TemporaryDirectory folder;
  folder.write("r.json", "old");
  {
    CocoResults results(folder / "r.json", MaskForm::kRle);
    const std::vector<Rle> masks = {block()};
    results.consume(result("a.jpg", 1, test::fake_instances(5, 6, {1}), masks));
  }
  CHECK(test::read_text(folder / "r.json") == "old");
  const auto entries = std::filesystem::directory_iterator(folder.path());
  CHECK(std::distance(begin(entries), end(entries)) == 1);
}

TEST_CASE("AnEmptyRunIsAnEmptyArray") {
  const TemporaryDirectory folder;
  CocoResults results(folder / "r.json", MaskForm::kRle);
  results.finish();
  CHECK(test::read_text(folder / "r.json") == "[]\n");
}
