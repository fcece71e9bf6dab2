#include "tools/dataset/show.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/image/image.h"
#include "data/image/write.h"
#include "data/shapes/shapes_files.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_image.h"
#include "tools/dataset/contact_sheet.h"
#include "tools/dataset/open_dataset.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

void no_warning(const std::string& message) { FAIL_CHECK(message); }

TEST_CASE("Images are spread over the set") {
  CHECK(spread_evenly(10, 3) == std::vector<int64_t>{0, 3, 6});
  CHECK(spread_evenly(3, 10) == std::vector<int64_t>{0, 1, 2});
  CHECK(spread_evenly(3, 0).size() == 3);
  CHECK(spread_evenly(0, 5).empty());
}

TEST_CASE("Overlays and a contact sheet are written; what cannot be shown is told") {
  const test::TemporaryDirectory folder;
  const ShapesParams params{.height = 64, .width = 96};
  write_shapes_files(folder / "s", shapes_splits(5, 0), params, ExistingFiles::kKeep);
  folder.write("s/train/000002.png", "no picture");
  write_image(folder / "s/train/000003.png", test::test_image(20, 30, 1));
  const auto set = open_dataset(folder / "s", "train", {}, no_warning);
  const ShowResult result =
      show_annotations(*set, {.out = folder / "out", .images = 0, .columns = 2});
  CHECK(result.written == 3);
  REQUIRE(result.problems.size() == 2);
  CHECK(result.problems[0].find("000002.png") != std::string::npos);
  CHECK(result.problems[1].find("is 30x20 pixels, but annotated as 96x64") != std::string::npos);
  CHECK(fs::exists(folder / "out/images/000001.png"));
  CHECK_FALSE(fs::exists(folder / "out/images/000002.png"));
  const Tensor overlay = load_image(folder / "out/images/000001.png").pixels;
  const Tensor original = load_image(folder / "s/train/000001.png").pixels;
  CHECK(overlay.shape() == original.shape());
  CHECK_FALSE(std::equal(overlay.data<const uint8_t>(),
                         overlay.data<const uint8_t>() + overlay.numel(),
                         original.data<const uint8_t>()));
  const Tensor sheet = load_image(result.contact_sheet).pixels;
  CHECK(sheet.size(1) > 2 * kTileWidth);
  CHECK(sheet.size(1) < 3 * kTileWidth);
  CHECK(sheet.size(0) > 2 * kTileHeight);
}

TEST_CASE("Nothing to show is an error") {
  const test::TemporaryDirectory folder;
  write_shapes_files(folder / "s", shapes_splits(2, 0), {.height = 32, .width = 32},
                     ExistingFiles::kKeep);
  fs::remove_all(folder / "s/train");
  const std::string json = folder / "s/annotations/instances_train.json";
  const auto set = open_dataset(json, "", {}, no_warning, folder / "s/train");
  CHECK_THROWS_WITH_AS(show_annotations(*set, {.out = folder / "out"}),
                       doctest::Contains("no picture can be shown"), FileError);
}

}  // namespace
}  // namespace mrcnn
