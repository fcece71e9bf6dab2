#include "data/coco/coco_dataset.h"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/io/file.h"
#include "core/parallel.h"
#include "data/masks/rle.h"
#include "tests/data/coco/annotation_text.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

using test::annotation_file;
using test::AnnotationText;

const std::string kCut = MRCNN_TEST_DATA "/golden/coco/instances_cut.json";

std::unique_ptr<Dataset> open_text(const std::string& content, CocoKeep keep = CocoKeep::kAll) {
  const test::TemporaryDirectory folder;
  return open_coco(folder.write("a.json", content), "images",
                   {.keep = keep, .cache_directory = ""});
}

std::string list(const std::vector<AnnotationText>& annotations) {
  std::string text;
  for (const AnnotationText& one : annotations) text += (text.empty() ? "" : ", ") + one.text();
  return "[" + text + "]";
}

struct GoldenMask {
  int64_t area = 0;
  PixelBox box;
  std::string counts;
};

std::map<int64_t, GoldenMask> read_golden() {
  std::ifstream file(MRCNN_TEST_DATA "/golden/coco/masks.txt");
  std::map<int64_t, GoldenMask> golden;
  int64_t id = 0;
  GoldenMask mask;
  while (file >> id >> mask.area >> mask.box.x >> mask.box.y >> mask.box.width >> mask.box.height >>
         mask.counts) {
    golden[id] = mask;
  }
  return golden;
}

void check_objects(const Dataset& data, const std::map<int64_t, GoldenMask>& golden) {
  size_t num_objects = 0;
  for (int64_t i = 0; i < data.size(); ++i) {
    for (const DatasetObject& object : data.objects(i)) {
      CAPTURE(object.id);
      const GoldenMask& expected = golden.at(object.id);
      CHECK(rle_to_string(object.mask) == expected.counts);
      CHECK(rle_area(object.mask) == expected.area);
      CHECK(rle_bbox(object.mask) == expected.box);
      CHECK(object.mask.height == data.image(i).height);
      CHECK(object.mask.width == data.image(i).width);
      ++num_objects;
    }
  }
  CHECK(num_objects == golden.size());
}

TEST_CASE("MatchesGolden: real annotations, their masks as pycocotools draws them") {
  const auto data = open_coco(kCut, "val2017", {.cache_directory = ""});
  CHECK(data->name() == kCut);
  CHECK(data->size() == 8);
  CHECK(data->num_classes() == 91);
  REQUIRE(data->classes().size() == 80);
  CHECK(data->classes()[79].label == 90);
  CHECK(data->classes()[79].name == "toothbrush");
  const DatasetImage image = data->image(0);
  CHECK(image.id == 6818);
  CHECK(image.file_name == "000000006818.jpg");
  CHECK(image.path == "val2017/000000006818.jpg");
  CHECK(image.height == 640);
  CHECK(image.width == 427);
  const std::vector<DatasetObject> objects = data->objects(0);
  REQUIRE(objects.size() == 1);
  CHECK(objects[0].id == 1094825);
  CHECK(objects[0].label == 70);
  CHECK(objects[0].area == 3762.6392999999994);
  CHECK(objects[0].box == std::array<double, 4>{186.97, 471.83, 186.97 + 100.67, 471.83 + 56.09});
  CHECK(!objects[0].crowd);
  check_objects(*data, read_golden());

  int64_t num_crowds = 0;
  for (int64_t i = 0; i < data->size(); ++i) {
    for (const DatasetObject& object : data->objects(i)) num_crowds += object.crowd ? 1 : 0;
  }
  CHECK(num_crowds == 2);
}

TEST_CASE("ATextInMemoryIsReadAsItsFileIs") {
  const auto from_file = open_coco(kCut, "images", {.cache_directory = ""});
  const FileBytes content = read_file(kCut, ExitCode::kData);
  const auto from_memory = parse_coco(content, "in memory", "images");
  CHECK(from_memory->size() == from_file->size());
  CHECK(from_memory->fingerprint() == from_file->fingerprint());
  CHECK(from_memory->image(0).path == from_file->image(0).path);
  CHECK(from_memory->name() == "in memory");
  const FileBytes cut{content.bytes.first(content.bytes.size() - 3), content.owner};
  CHECK_THROWS_WITH_AS(parse_coco(cut, "in memory", ""), doctest::Contains("in memory: byte "),
                       FileError);
}

TEST_CASE("TheResultDoesNotDependOnTheNumberOfThreads") {
  const int before = num_threads();
  set_num_threads(1);
  const auto alone = open_coco(kCut, "", {.cache_directory = ""});
  set_num_threads(5);
  const auto together = open_coco(kCut, "", {.cache_directory = ""});
  set_num_threads(before);
  CHECK(alone->fingerprint() == together->fingerprint());
  check_objects(*together, read_golden());
}

TEST_CASE("ObjectsMayBeReadFromSeveralThreads") {
  const auto data = open_coco(kCut, "", {.cache_directory = ""});
  std::vector<std::vector<DatasetObject>> expected;
  for (int64_t i = 0; i < data->size(); ++i) expected.push_back(data->objects(i));
  std::array<int, 4> wrong{};
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&data, &expected, &count] {
      for (int64_t n = 0; n < 5 * data->size(); ++n) {
        const int64_t i = n * 3 % data->size();
        const std::vector<DatasetObject> objects = data->objects(i);
        const std::vector<DatasetObject>& same = expected[static_cast<size_t>(i)];
        count += objects.size() != same.size();
        for (size_t k = 0; k < std::min(objects.size(), same.size()); ++k) {
          count += objects[k].mask != same[k].mask || objects[k].id != same[k].id;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::array<int, 4>{});
}

TEST_CASE("EveryFormOfASegmentationIsRead") {
  const auto mask_of = [](const std::string& segmentation) {
    return open_text(annotation_file(AnnotationText{.segmentation = segmentation}))
        ->objects(1)
        .at(0)
        .mask;
  };
  const Rle expected{4, 5, {5, 2, 2, 2, 2, 2, 5}};
  CHECK(mask_of(test::kPolygon) == expected);
  CHECK(mask_of("[[1, 1, 1, 3, 2, 3, 2, 1], [2.0, 1e0, 2, 3, 4, 3, 4, 1]]") == expected);
  CHECK(mask_of(R"({"counts": [5, 2, 2, 2, 2, 2, 5], "size": [4, 5]})") == expected);
  CHECK(mask_of(R"({"counts": ")" + rle_to_string(expected) + R"(", "size": [4, 5]})") == expected);
  for (const char* nothing : {"", "null", "[]"}) CHECK(mask_of(nothing) == Rle{4, 5, {20}});
}

TEST_CASE("IdsMayBeNumbersOrNumericStrings") {
  const auto data = open_text(annotation_file(
      list({{.id = "0"}, {.id = "\"0012\"", .image_id = "7.0"}, {.id = "-9007199254740993"}}),
      R"([{"id": "7", "file_name": "a.jpg", "height": 4, "width": 5}])",
      R"([{"id": "3", "name": "dog"}])"));
  REQUIRE(data->size() == 1);
  const std::vector<DatasetObject> objects = data->objects(0);
  REQUIRE(objects.size() == 3);
  CHECK(objects[0].id == 0);
  CHECK(objects[1].id == 12);
  CHECK(objects[2].id == -9007199254740993);
}

TEST_CASE("LabelsAreTheIdsUnlessTheyAreSparse") {
  const auto labels = [](const std::string& categories) {
    std::vector<int64_t> both;
    const auto data = open_text(annotation_file("[]", "[]", categories));
    for (const DatasetClass& one : data->classes()) {
      both.push_back(one.label);
      both.push_back(one.category_id);
    }
    return both;
  };
  using Labels = std::vector<int64_t>;
  CHECK(labels(R"([{"id": 4, "name": "b"}, {"id": 1, "name": "a"}])") == Labels{1, 1, 4, 4});
  CHECK(labels(R"([{"id": 5, "name": "b"}, {"id": 1, "name": "a"}])") == Labels{1, 1, 2, 5});
  CHECK(labels(R"([{"id": 1, "name": "b"}, {"id": 0, "name": "a"}])") == Labels{1, 0, 2, 1});
  CHECK(labels(R"([{"id": 1, "name": "b"}, {"id": -1, "name": "a"}])") == Labels{1, -1, 2, 1});
}

TEST_CASE("PresetsKeepWhatTheirReferencesKeep") {
  // Images 5 x 4 (width x height): 1 none, 2 an object, 3 a crowd only, 4 boxes of a pixel or
  // outside, 5 a box whose part inside has no extent and a fine one.
  std::string images;
  for (int id = 5; id >= 1; --id) {
    images += (images.empty() ? "[" : ", ") + std::string("{\"id\": ") + std::to_string(id) +
              ", \"file_name\": \"a.jpg\", \"height\": 4, \"width\": 5}";
  }
  images += "]";
  const std::string content =
      annotation_file(list({{.id = "20", .image_id = "2"},
                            {.id = "30", .image_id = "3", .iscrowd = "1"},
                            {.id = "40", .image_id = "4", .bbox = "[1, 1, 1, 3]"},
                            {.id = "41", .image_id = "4", .bbox = "[1, 1, 3, 0]"},
                            {.id = "50", .image_id = "5", .bbox = "[5, 1, 3, 2]"},
                            {.id = "51", .image_id = "5", .bbox = "[-2, 1, 2, 2]"},
                            {.id = "52", .image_id = "5", .bbox = "[-2, 1, 2.5, 2]"},
                            {.id = "53", .image_id = "5", .bbox = "[1, 1, 0, 2]"},
                            {.id = "54", .image_id = "5", .bbox = "[3, 1, 1e-9, 2]"}}),
                      images);
  const auto kept = [&content](CocoKeep keep) {
    const auto data = open_text(content, keep);
    std::string text;
    for (int64_t i = 0; i < data->size(); ++i) {
      text += std::to_string(data->image(i).id) + ":";
      for (const DatasetObject& object : data->objects(i)) text += " " + std::to_string(object.id);
      text += "; ";
    }
    return text;
  };
  CHECK(kept(CocoKeep::kAll) == "1:; 2: 20; 3: 30; 4: 40 41; 5: 50 51 52 53 54; ");
  CHECK(kept(CocoKeep::kTorchvision) == "2: 20; 3:; 5: 52; ");
  CHECK(kept(CocoKeep::kOriginal) == "2: 20; 3: 30; 4: 40 41; 5: 50 51 52 53 54; ");

  CHECK(coco_keep_from_name("original") == CocoKeep::kOriginal);
  CHECK(std::string(coco_keep_name(CocoKeep::kTorchvision)) == "torchvision");
  CHECK_THROWS_WITH_AS(coco_keep_from_name("d2"), doctest::Contains("all, torchvision, original"),
                       UsageError);
}

TEST_CASE("TheFingerprintIsOfTheContentNotOfItsSpelling") {
  const std::string same = open_text(annotation_file(AnnotationText{}))->fingerprint();
  CHECK(same.size() == 64);
  const AnnotationText spelled{.id = "\"11\"",
                               .bbox = "[1.0,1e0,3,2.00]",
                               .area = "6",
                               .iscrowd = "",
                               .segmentation = "[[1.0,10e-1,1,3.00,4,3,4,1]]"};
  CHECK(open_text("\n" + annotation_file(spelled))->fingerprint() == same);
  const std::vector<AnnotationText> others = {{.id = "12"},
                                              {.image_id = "3"},
                                              {.category_id = "1"},
                                              {.bbox = "[1, 1, 3, 2.5]"},
                                              {.area = "6.5"},
                                              {.iscrowd = "1"},
                                              {.segmentation = "[[1, 1, 1, 3, 4, 3, 4, 1.01]]"}};
  for (const AnnotationText& other : others) {
    CHECK(open_text(annotation_file(other))->fingerprint() != same);
  }
  CHECK(open_text(annotation_file(AnnotationText{}), CocoKeep::kOriginal)->fingerprint() != same);
}

TEST_CASE("IndicesOutsideTheSetAreRefused") {
  const auto data = open_text(annotation_file("[]"));
  CHECK(data->size() == 2);
  CHECK_THROWS_WITH_AS(data->image(2), doctest::Contains("image 2 of a data set of 2"), Error);
  CHECK_THROWS_AS(data->objects(-1), Error);
}

}  // namespace
}  // namespace mrcnn
