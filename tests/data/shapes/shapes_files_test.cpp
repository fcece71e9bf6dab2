#include "data/shapes/shapes_files.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "data/image/image.h"
#include "data/masks/polygon.h"
#include "data/masks/rle.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

Rle mask_of_polygons(const simdjson::dom::array& list) {
  std::vector<std::vector<double>> polygons;
  for (const simdjson::dom::array& polygon : list) {
    polygons.emplace_back();
    for (const double number : polygon) polygons.back().push_back(number);
  }
  return rle_from_polygons(polygons, 64, 80);
}

const ShapesParams kSmall{.seed = 3, .height = 64, .width = 80};

TEST_CASE("TheFilesDescribeThePictures") {
  const TemporaryDirectory scratch;
  const std::string dir = scratch / "set";
  CHECK(write_shapes_files(dir, shapes_splits(12, 3), kSmall, ExistingFiles::kKeep));
  CHECK(fs::exists(dir + "/val/000003.png"));
  CHECK(!fs::exists(dir + "/val/000004.png"));

  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.load(dir + "/annotations/instances_train.json");
  CHECK(root["categories"].get_array().size() == 5);
  CHECK(std::string_view(root["categories"].at(4)["name"]) == "ring");
  REQUIRE(root["images"].get_array().size() == 12);
  size_t next = 0;
  size_t num_polygons = 0;
  size_t num_rles = 0;
  const auto annotations = root["annotations"].get_array();
  for (int64_t i = 0; i < 12; ++i) {
    const ShapesImage wanted = generate_shapes(kSmall, i);
    const simdjson::dom::element image = root["images"].at(static_cast<size_t>(i));
    CHECK(int64_t(image["id"]) == i + 1);
    CHECK(int64_t(image["height"]) == 64);
    CHECK(int64_t(image["width"]) == 80);
    const std::string name{std::string_view(image["file_name"])};
    const Tensor pixels = load_image(dir + "/train/" + name).pixels;
    CHECK(std::equal(pixels.span<uint8_t>().begin(), pixels.span<uint8_t>().end(),
                     wanted.pixels.span<uint8_t>().begin()));
    for (const ShapesObject& shape : wanted.objects) {
      const simdjson::dom::element object = annotations.at(next++);
      CHECK(int64_t(object["id"]) == static_cast<int64_t>(next));
      CHECK(int64_t(object["image_id"]) == i + 1);
      CHECK(int64_t(object["category_id"]) == shape.label);
      CHECK(double(object["area"]) == static_cast<double>(rle_area(shape.mask)));
      const PixelBox box = rle_bbox(shape.mask);
      CHECK(double(object["bbox"].at(0)) == static_cast<double>(box.x));
      CHECK(double(object["bbox"].at(1)) == static_cast<double>(box.y));
      CHECK(double(object["bbox"].at(2)) == static_cast<double>(box.width));
      CHECK(double(object["bbox"].at(3)) == static_cast<double>(box.height));
      const simdjson::dom::element segmentation = object["segmentation"];
      if (segmentation.is_object()) {
        ++num_rles;
        const std::string_view counts = segmentation["counts"];
        CHECK(rle_from_string(counts, 64, 80) == shape.mask);
      } else {
        ++num_polygons;
        CHECK(mask_of_polygons(segmentation) == shape.mask);
      }
    }
  }
  CHECK(next == annotations.size());
  CHECK(num_polygons > 5);
  CHECK(num_rles > 2);
}

TEST_CASE("FilesThatFitAreKeptAndOthersAreNotReplacedUnasked") {
  const TemporaryDirectory scratch;
  const std::string dir = scratch / "set";
  const auto keep = ExistingFiles::kKeep;
  CHECK(write_shapes_files(dir, shapes_splits(2, 1), kSmall, keep));
  const std::string json = dir + "/annotations/instances_train.json";
  const std::string before = test::read_text(scratch / "set/annotations/instances_train.json");
  const auto time = fs::last_write_time(json);
  CHECK_FALSE(write_shapes_files(dir, shapes_splits(2, 1), kSmall, keep));
  CHECK(fs::last_write_time(json) == time);

  // A lost picture comes back.
  fs::remove(dir + "/train/000002.png");
  CHECK(write_shapes_files(dir, shapes_splits(2, 1), kSmall, keep));
  CHECK(fs::exists(dir + "/train/000002.png"));
  CHECK(test::read_text(scratch / "set/annotations/instances_train.json") == before);

  ShapesParams other = kSmall;
  other.seed = 4;
  CHECK_THROWS_WITH_AS(write_shapes_files(dir, shapes_splits(2, 1), other, keep),
                       doctest::Contains("instances_train.json: holds another"), UsageError);
  CHECK_THROWS_AS(write_shapes_files(dir, shapes_splits(3, 1), kSmall, keep), UsageError);
  CHECK(test::read_text(scratch / "set/annotations/instances_train.json") == before);
  CHECK(write_shapes_files(dir, shapes_splits(2, 1), other, ExistingFiles::kReplace));
  CHECK(test::read_text(scratch / "set/annotations/instances_train.json") != before);

  scratch.write("set/annotations/instances_train.json", "{}");
  CHECK_THROWS_AS(write_shapes_files(dir, shapes_splits(2, 1), other, keep), UsageError);
}

TEST_CASE("TheNumberOfThreadsChangesNothing") {
  const TemporaryDirectory scratch;
  const int threads = num_threads();
  set_num_threads(1);
  write_shapes_files(scratch / "one", shapes_splits(5, 0), kSmall, ExistingFiles::kKeep);
  set_num_threads(4);
  write_shapes_files(scratch / "four", shapes_splits(5, 0), kSmall, ExistingFiles::kKeep);
  set_num_threads(threads);
  for (const std::string name : {"annotations/instances_train.json", "train/000005.png"}) {
    const std::string text = test::read_text(scratch / ("one/" + name));
    CHECK(!text.empty());
    CHECK(text == test::read_text(scratch / ("four/" + name)));
  }
}

TEST_CASE("RejectsWhatCannotBeWritten") {
  CHECK_THROWS_AS(shapes_splits(-1, 0), UsageError);
  CHECK_THROWS_AS(shapes_splits(0, 1'000'001), UsageError);
  const TemporaryDirectory scratch;
  scratch.write("file", "x");
  CHECK_THROWS_WITH_AS(
      write_shapes_files(scratch / "file", shapes_splits(1, 0), kSmall, ExistingFiles::kKeep),
      doctest::Contains("cannot create the folder"), FileError);
}

}  // namespace
}  // namespace mrcnn
