#include "tools/dataset/voc_to_coco.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <filesystem>
#include <string>

#include "core/error.h"
#include "data/masks/rle.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/voc_tree.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

TEST_CASE("Images, classes and masks arrive; ids count from 1") {
  const test::TemporaryDirectory folder;
  test::write_voc_tree(folder, "voc");
  const auto dataset = open_voc(folder / "voc", "train");
  const VocToCocoResult result = write_voc_as_coco(*dataset, "train", folder / "out", false);
  CHECK(result.written);
  CHECK(result.annotation_path == folder / "out/annotations/instances_train.json");
  CHECK(fs::exists(folder / "out/train/2007_000032.jpg"));

  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.load(result.annotation_path);
  CHECK(root["categories"].get_array().size() == 20);
  CHECK(root["images"].get_array().size() == 2);
  CHECK(int64_t(root["images"].at(0)["id"]) == 2007000032);
  CHECK(std::string_view(root["images"].at(0)["file_name"]) == "2007_000032.jpg");
  const auto annotations = root["annotations"].get_array();
  REQUIRE(annotations.size() == 3);
  int64_t next = 0;
  for (int64_t i = 0; i < dataset->size(); ++i) {
    for (const DatasetObject& object : dataset->objects(i)) {
      const simdjson::dom::element record = annotations.at(static_cast<size_t>(next++));
      // Id 0 would be taken for "no match" by COCO's evaluation.
      CHECK(int64_t(record["id"]) == next);
      CHECK(int64_t(record["image_id"]) == dataset->image(i).id);
      CHECK(int64_t(record["category_id"]) == object.label);
      CHECK(double(record["bbox"].at(2)) == object.box[2] - object.box[0]);
      CHECK(double(record["area"]) == object.area);
      CHECK(int64_t(record["iscrowd"]) == 0);
      const std::string_view counts = record["segmentation"]["counts"];
      CHECK(rle_from_string(counts, object.mask.height, object.mask.width) == object.mask);
    }
  }
}

TEST_CASE("What is there is kept, refused or replaced") {
  const test::TemporaryDirectory folder;
  test::write_voc_tree(folder, "voc");
  test::write_voc_tree(folder, "other");
  const auto dataset = open_voc(folder / "voc", "train");
  const auto write = [&](const Dataset& set, bool replace) {
    return write_voc_as_coco(set, "train", folder / "out", replace).written;
  };
  CHECK(write(*dataset, false));
  CHECK_FALSE(write(*dataset, false));
  const std::string json = "out/annotations/instances_train.json";
  const std::string text = test::read_text(folder / json);

  const auto compat = open_voc(folder / "voc", "train", {.compat = true});
  CHECK_THROWS_WITH_AS(write(*compat, false), doctest::Contains("--force"), UsageError);
  CHECK(test::read_text(folder / json) == text);
  CHECK(write(*compat, true));
  CHECK(test::read_text(folder / json) != text);

  const auto elsewhere = open_voc(folder / "other", "train", {.compat = true});
  CHECK_THROWS_WITH_AS(write(*elsewhere, false), doctest::Contains("links to other pictures"),
                       UsageError);
  CHECK_FALSE(write(*elsewhere, true));
  CHECK(fs::equivalent(folder / "out/train", folder / "other/JPEGImages"));

  fs::remove(folder / "out/train");
  folder.write("out/train/mine.txt", "x");
  CHECK_THROWS_WITH_AS(write(*elsewhere, true), doctest::Contains("in the way"), UsageError);
  CHECK(test::read_text(folder / "out/train/mine.txt") == "x");
}

}  // namespace
}  // namespace mrcnn
