#include "tools/infer/outputs.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "core/error.h"
#include "tests/support/temporary_directory.h"

using namespace mrcnn;
using test::TemporaryDirectory;

namespace {

InferOptions options_for(const TemporaryDirectory& folder) {
  InferOptions options;
  options.weights = folder.write("w.safetensors");
  return options;
}

std::vector<InputImage> images_in(const TemporaryDirectory& folder) {
  return {{folder.write("a.png"), "a.png"}, {folder.write("b.jpg"), "b.jpg"}};
}

}  // namespace

TEST_CASE("RejectsOutputsThatWouldReplaceInputs") {
  const TemporaryDirectory folder;
  const std::vector<InputImage> images = images_in(folder);
  const auto message = [&](InferOptions options) -> std::string {
    try {
      prepare_outputs(options, images);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  InferOptions options = options_for(folder);
  options.overlay_dir = folder.path();
  CHECK(message(options) ==
        "--overlay would replace " + (folder / "a.png") + ", which this run reads");
  options = options_for(folder);
  options.masks_dir = folder / "sub/..";
  std::filesystem::create_directory(folder / "sub");
  CHECK(message(options).find("--masks would replace") == 0);
  options = options_for(folder);
  options.json = folder / "b.jpg";
  CHECK(message(options).find("--json would replace") == 0);
  options.json = options.weights;
  CHECK(message(options).find("--json would replace") == 0);
  options.json = folder.write("list.txt");
  options.inputs = {"@" + options.json};
  CHECK(message(options).find("--json would replace") == 0);
  std::filesystem::create_symlink(folder / "a.png", folder / "link.json");
  options.json = folder / "link.json";
  CHECK(message(options).find("--json would replace") == 0);
}

TEST_CASE("RejectsOneDirectoryForTwoKindsOfPictures") {
  const TemporaryDirectory folder;
  InferOptions options = options_for(folder);
  options.overlay_dir = folder / "out";
  options.masks_dir = folder / "x/../out/";
  CHECK_THROWS_WITH_AS(prepare_outputs(options, images_in(folder)),
                       doctest::Contains("--overlay and --masks name one directory"), UsageError);
  CHECK_FALSE(std::filesystem::exists(folder / "out"));
}

TEST_CASE("RejectsAFileWhereADirectoryShouldBe") {
  const TemporaryDirectory folder;
  InferOptions options = options_for(folder);
  options.overlay_dir = folder.write("file");
  CHECK_THROWS_AS(prepare_outputs(options, images_in(folder)), FileError);
}

TEST_CASE("MakesTheDirectoriesAndAcceptsOldResults") {
  const TemporaryDirectory folder;
  InferOptions options = options_for(folder);
  options.overlay_dir = folder / "out/drawn";
  options.masks_dir = folder / "out/ids";
  options.json = folder.write("old.json", "[]");
  for (int run = 0; run < 2; ++run) prepare_outputs(options, images_in(folder));
  CHECK(std::filesystem::is_directory(folder / "out/drawn"));
  CHECK(std::filesystem::is_directory(folder / "out/ids"));
  CHECK(test::read_text(folder / "old.json") == "[]");
}
