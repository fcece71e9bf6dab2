#include "data/coco/detection_file.h"

#include <doctest/doctest.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "data/coco/coco_dataset.h"
#include "data/masks/rle.h"
#include "tests/data/coco/annotation_text.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

// Image 3 is 8 wide and 6 high, image 7 is 5 by 4; categories are 1 and 3.
struct Fixture {
  DetectionFile read(const std::string& text, bool skip_unknown = false) const {
    return DetectionFile(folder.write("r.json", text), *dataset, {.skip_unknown = skip_unknown});
  }
  void check_refused(const std::string& text, const std::string& message) const {
    CAPTURE(text.substr(0, 300));
    CHECK_THROWS_WITH_AS((void)read(text), doctest::Contains(("r.json: " + message).c_str()),
                         FileError);
  }

  test::TemporaryDirectory folder;
  std::unique_ptr<Dataset> dataset =
      open_coco(folder.write("gt.json", test::annotation_file(test::AnnotationText{})), "",
                {.cache_directory = ""});
};

std::string result(const std::string& rest, const std::string& image = "7",
                   const std::string& category = "3", const std::string& score = "0.5") {
  return "{\"image_id\": " + image + ", \"category_id\": " + category + ", \"score\": " + score +
         rest + "}";
}
const std::string kBox = ", \"bbox\": [1, 1.25, 3, 2]";
const std::string kMask = ", \"segmentation\": {\"size\": [4, 5], \"counts\": [5, 2, 13]}";

TEST_CASE("Reads boxes and masks of every form, image by image in the order of the file") {
  const Fixture fixture;
  const std::string string = rle_to_string(rle_from_counts(std::vector<int64_t>{5, 2, 13}, 4, 5));
  const DetectionFile file = fixture.read(
      "[" + result(kBox + ", \"area\": 3, \"id\": 9, \"x\": [{}]") + ", " +
      result(kBox, "3", "1", "-1e-3") + ", " + result(kMask) + ",\n" +
      result(", \"segmentation\": {\"counts\": \"" + string + "\", \"size\": [4, 5]}") + "," +
      result(", \"bbox\": [], \"segmentation\": " + test::kPolygon, "7", "1", "1") + "]");
  CHECK(file.size() == 5);
  CHECK(file.num_skipped() == 0);
  CHECK(file.any_mask());
  CHECK(file.first_has_box());
  // Images come in the order of their ids: 3, 7.
  const auto first = file.detections(0, DetectionParts::kBoxes);
  REQUIRE(first.size() == 1);
  CHECK(first[0].category == 1);
  CHECK(first[0].score == -1e-3);
  const auto second = file.detections(1, DetectionParts::kBoxes);
  REQUIRE(second.size() == 4);
  CHECK(second[0].box == CocoBox{1, 1.25, 3, 2});
  CHECK(second[0].category == 3);
  CHECK(second[1].box == CocoBox{1, 1, 1, 2});
  CHECK(second[1].mask == second[2].mask);
  CHECK(second[3].box == CocoBox{1, 1, 3, 2});
  CHECK(rle_area(second[3].mask) == 6);
  CHECK_THROWS_WITH_AS(file.detections(1, DetectionParts::kBoxesAndMasks),
                       doctest::Contains("results[0]: segmentation: there is none"), FileError);
}

TEST_CASE("Labels stand for categories, numbered from 1 where ids are not dense") {
  const test::TemporaryDirectory folder;
  const std::string truth = folder.write(
      "gt.json", test::annotation_file("[]", test::kImages,
                                       R"([{"id": 0, "name": "a"}, {"id": 70, "name": "b"}])"));
  const auto dataset = open_coco(truth, "", {.cache_directory = ""});
  const DetectionFile file(folder.write("r.json", "[" + result(kBox, "7", "70") + "]"), *dataset);
  CHECK(file.detections(1, DetectionParts::kBoxes).at(0).category == 2);
}

TEST_CASE("A text in memory is read as its file is") {
  const Fixture fixture;
  const std::string text = "[" + result(kBox) + ", " + result(kMask) + "]";
  const FileBytes bytes{std::as_bytes(std::span(text)), nullptr};
  const DetectionFile file(bytes, "in memory", *fixture.dataset);
  CHECK(file.path() == "in memory");
  REQUIRE(file.size() == 2);
  CHECK(file.detections(1, DetectionParts::kBoxes)[0].box == CocoBox{1, 1.25, 3, 2});
  const FileBytes cut{bytes.bytes.first(bytes.bytes.size() - 1), nullptr};
  CHECK_THROWS_WITH_AS((void)DetectionFile(cut, "in memory", *fixture.dataset),
                       doctest::Contains("in memory: byte "), FileError);
}

TEST_CASE("An empty list is no detection") {
  const Fixture fixture;
  const DetectionFile file = fixture.read("[]");
  CHECK(file.size() == 0);
  CHECK_FALSE(file.any_mask());
  CHECK_FALSE(file.first_has_box());
  CHECK(file.detections(0, DetectionParts::kBoxesAndMasks).empty());
}

TEST_CASE("Rejects what is no list of results, with the element and the field") {
  const Fixture fixture;
  const auto refused = [&](const std::string& text, const std::string& message) {
    fixture.check_refused(text, message);
  };
  const std::string good = result(kBox);
  refused("", "byte 0: is empty");
  refused("{\"annotations\": []}", "byte 0: is an object, as files of annotations are");
  refused("[" + good, "byte 73: ends inside the list: it is truncated");
  refused("[" + good + ", {\"image_id\": 7 3}]", "byte 75: is not valid JSON from here on");
  refused("[" + good + ", 3]", "results[1]: is not an object");
  refused("[" + good + ", [" + good + "]]", "results[1]: is not an object");
  refused("[" + result("") + "]", "results[0]: has neither a \"bbox\" nor a \"segmentation\"");
  refused("[" + result(", \"bbox\": null, \"segmentation\": []") + "]", "results[0]: has neither");
  refused("[" + result(kBox, "8") + "]", "results[0]: image_id: there is no image with id 8 in ");
  refused("[" + result(kBox, "7", "2") + "]",
          "results[0]: category_id: there is no category with id 2 in ");
  refused("[" + result(kBox, "\"x\"") + "]", "results[0]: image_id: \"x\" is not a 64-bit integer");
  refused("[" + result(kBox, "7", "3", "NaN") + "]", "results[0]: score: is not a finite number");
  refused("[" + result(kBox, "7", "3", "\"0.5\"") + "]", "results[0]: score: is not a finite");
  refused("[" + result(kBox, "7", "3", "1e999") + "]", "results[0]: score: is not a finite");
  refused("[{\"image_id\": 7, \"category_id\": 3" + kBox + "}]", "results[0]: has no \"score\"");
  refused("[{\"score\": 7, \"category_id\": 3" + kBox + "}]", "results[0]: has no \"image_id\"");
  refused("[" + good + "," + result(", \"bbox\": [1, 2, 3]") + "]",
          "results[1]: bbox: has 3 numbers");
  refused("[" + result(", \"bbox\": [1, 2, 3, -1]") + "]", "results[0]: bbox[3]: a side of -1");
  refused("[" + result(", \"bbox\": [1, Infinity, 3, 1]") + "]", "results[0]: bbox[1]: is not a");
  refused("[" + result(", \"segmentation\": {\"size\": [6, 8], \"counts\": [48]}") + "]",
          "results[0]: segmentation: a mask of 8x6 pixels in an image of 5x4");
  refused("[" + result(", \"segmentation\": {\"size\": [5, 4], \"counts\": \"d0\"}") + "]",
          "results[0]: segmentation: a mask of 4x5 pixels in an image of 5x4");
  refused("[" + result(", \"segmentation\": {\"size\": [-4, 5], \"counts\": \"d0\"}") + "]",
          "results[0]: segmentation: a mask of 5x-4 pixels cannot be");
  refused("[" + result(", \"segmentation\": {\"size\": [4, 5], \"counts\": [21]}") + "]",
          "results[0]: segmentation: ");
  refused("[" + result(", \"segmentation\": [[1, 2, 3, 4]]") + "]",
          "results[0]: segmentation[0]: has 4 numbers");
}

TEST_CASE("Strings that are no masks are found when they are drawn") {
  const Fixture fixture;
  for (const char* counts : {"", "d", "d0!", "e0", "PPPPPPPPPPPPPPPPPPP"}) {
    CAPTURE(counts);
    const std::string mask =
        std::string(", \"segmentation\": {\"size\": [4, 5], \"counts\": \"") + counts + "\"}";
    const DetectionFile file = fixture.read("[" + result(kBox) + "," + result(kBox + mask) + "]");
    CHECK(file.detections(1, DetectionParts::kBoxes).size() == 2);
    const DetectionFile alone = fixture.read("[" + result(kBox + mask) + "]");
    CHECK_THROWS_WITH_AS(alone.detections(1, DetectionParts::kBoxesAndMasks),
                         doctest::Contains("r.json: results[0]: segmentation: "), FileError);
  }
}

TEST_CASE("Leaves out what is unknown where it is told to") {
  const Fixture fixture;
  const DetectionFile file =
      fixture.read("[" + result(kMask, "8") + "," + result(kMask) + "," + result(kBox, "7", "2") +
                       "," + result(kBox + kMask) + "]",
                   true);
  CHECK(file.size() == 2);
  CHECK(file.num_skipped() == 2);
  const auto found = file.detections(1, DetectionParts::kBoxesAndMasks);
  REQUIRE(found.size() == 2);
  CHECK(found[0].mask == found[1].mask);
}

TEST_CASE("Many pieces and threads give the order of the file and its first problem") {
  const Fixture fixture;
  std::string text = "[";
  const int64_t count = 60'000;  // of about 90 bytes: several pieces
  for (int64_t i = 0; i < count; ++i) {
    if (i > 0) text += ",\n";
    text += result(i % 3 == 0 ? kMask : kBox, i % 2 == 0 ? "7" : "3", "3", std::to_string(i));
    if (i % 3 == 0 && i % 2 == 1) text.replace(text.rfind("[4, 5]"), 6, "[6, 8]");
    if (i % 3 == 0 && i % 2 == 1) text.replace(text.rfind("13]"), 3, "41]");
  }
  const int threads = num_threads();
  for (const int wanted : {1, 4}) {
    set_num_threads(wanted);
    const DetectionFile file = fixture.read(text + "]");
    REQUIRE(file.size() == count);
    for (int64_t index = 0; index < 2; ++index) {
      const auto found = file.detections(index, DetectionParts::kBoxes);
      REQUIRE(static_cast<int64_t>(found.size()) == count / 2);
      bool all = true;
      for (size_t k = 0; k < found.size(); ++k) {
        const int64_t i = 2 * static_cast<int64_t>(k) + (index == 0 ? 1 : 0);
        all = all && found[k].score == static_cast<double>(i) &&
              (found[k].mask.counts.size() == 3) == (i % 3 == 0);
      }
      CHECK(all);
    }
    std::string wrong = text + "]";
    wrong.replace(wrong.find("\"score\": 50001,"), 15, "\"score\": true, ");
    wrong.replace(wrong.find("\"score\": 50003,"), 15, "\"score\": null, ");
    fixture.check_refused(wrong, "results[50001]: score: is not a finite number");
  }
  set_num_threads(threads);
}

}  // namespace
}  // namespace mrcnn
