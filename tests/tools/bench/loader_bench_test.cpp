#include "tools/bench/loader_bench.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <filesystem>
#include <memory>
#include <string>

#include "core/error.h"
#include "data/image/image.h"
#include "data/masks/rle.h"
#include "tests/data/loader/fake_dataset.h"
#include "tests/support/temporary_directory.h"
#include "tools/bench/bench_photos.h"
#include "tools/bench/report.h"

namespace mrcnn {
namespace {

TEST_CASE("Generated photos are JPEGs of the size asked for, with objects, and go away") {
  std::string path;
  {
    const std::unique_ptr<Dataset> photos = generated_photos(2, 96, 128);
    REQUIRE(photos->size() == 2);
    for (int64_t i = 0; i < 2; ++i) {
      path = photos->image(i).path;
      CHECK(path.ends_with(".jpg"));
      CHECK(load_image(path).pixels.shape() == Shape{96, 128, 3});
      REQUIRE_FALSE(photos->objects(i).empty());
      const DatasetObject object = photos->objects(i).front();
      CHECK((object.mask.height == 96 && object.mask.width == 128));
      CHECK(object.box[0] == static_cast<double>(rle_bbox(object.mask).x));
    }
    // Bits a pixel of COCO's photos: 4.6 in the middle of 123 of them, 0.9 to 10.4.
    const double bits = 8.0 * static_cast<double>(std::filesystem::file_size(path)) / (96 * 128);
    CHECK((bits > 2 && bits < 9));
  }
  CHECK_FALSE(std::filesystem::exists(std::filesystem::path(path).parent_path()));
}

TEST_CASE("Photos of one size are chosen, upright or turned") {
  // 40 + i % 3 rows, 30 + i % 5 columns.
  const auto chosen = photos_of_size(std::make_unique<test::FakeDataset>(15), 30, 41);
  REQUIRE(chosen->size() == 1);
  CHECK(chosen->image(0).id == 1010);
  CHECK(chosen->objects(0).size() == 1);
  CHECK_THROWS_WITH_AS(photos_of_size(std::make_unique<test::FakeDataset>(15), 480, 640),
                       "fake.json: none of its 15 images has 640x480 pixels", Error);
}

TEST_CASE("Stages are timed per image and reported") {
  const std::unique_ptr<Dataset> photos = generated_photos(3, 64, 96);
  LoaderBenchOptions options;
  options.images = 8;
  options.threads = 2;
  options.min_size = 80;
  options.repeat = 3;
  const std::optional<LoaderBenchResult> result = bench_loader(*photos, options);
  REQUIRE(result.has_value());
  CHECK(result->pixels == 64 * 96);
  CHECK(result->objects >= 1);
  REQUIRE(result->stages.size() == 5);
  const std::vector<std::string> names{"decode", "flip", "flip, resize", "decode + flip",
                                       "decode + flip, resize"};
  for (size_t s = 0; s < names.size(); ++s) {
    const LoaderStage& stage = result->stages[s];
    CHECK(stage.name == names[s]);
    REQUIRE(stage.wall_ms.size() == 3);
    REQUIRE(stage.cpu_ms.size() == 3);
    for (const double ms : stage.wall_ms) CHECK((ms > 0 && ms < 1000));
  }
  CHECK(result->stages[3].wall_ms[1] ==
        result->stages[0].wall_ms[1] + result->stages[1].wall_ms[1]);
  CHECK(result->stages[4].cpu_ms[2] == result->stages[0].cpu_ms[2] + result->stages[2].cpu_ms[2]);

  const test::TemporaryDirectory folder;
  const std::string path = folder / "loader.json";
  write_loader_bench(path, {.photos = photos->name(), .device = "cpu", .options = options},
                     *result);
  simdjson::dom::parser parser;
  const simdjson::dom::element report = parser.load(path);
  CHECK(report["settings"]["loader_threads"].get_int64().value() == 2);
  CHECK(report["pixels"].get_double().value() == 64 * 96);
  const simdjson::dom::element flip = report["stages"].at(1);
  CHECK(flip["stage"].get_string().value() == "flip");
  CHECK(flip["images_per_second"].get_double().value() ==
        doctest::Approx(1000 / flip["median_ms"].get_double().value()));
  CHECK(flip["samples_cpu_ms"].get_array().size() == 3);
}

TEST_CASE("A requested stop ends the measurement without numbers") {
  const std::unique_ptr<Dataset> photos = generated_photos(2, 64, 64);
  LoaderBenchOptions options;
  options.images = 2;
  int asked = 0;
  options.stop_requested = [&asked] { return ++asked == 3; };
  CHECK_FALSE(bench_loader(*photos, options).has_value());
  CHECK(asked == 3);
}

}  // namespace
}  // namespace mrcnn
