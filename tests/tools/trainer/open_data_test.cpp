#include "tools/trainer/open_data.h"

#include <doctest/doctest.h>

#include <string>

#include "core/error.h"
#include "data/shapes/shapes_files.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/voc_tree.h"

namespace mrcnn {
namespace {

TrainConfig config_of(const std::string& data, const std::string& out = "") {
  TrainConfig config;
  config.data = data;
  config.out = out;
  config.shapes_images = 2;
  config.shapes_val_images = 1;
  config.shapes_size = 32;
  return config;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

TEST_CASE("Shapes are generated into the run's folder") {
  const test::TemporaryDirectory folder;
  TrainConfig config = config_of("shapes", folder / "run");
  config.train_split = "other";  // a name of the user's own data
  const TrainData data = open_train_data(config);
  CHECK(data.train->size() == 2);
  REQUIRE(data.val != nullptr);
  CHECK(data.val->size() == 1);
  CHECK(data.train->num_classes() == 6);
  CHECK(data.notes.empty());
  CHECK(open_train_data(config).train->fingerprint() == data.train->fingerprint());
  config.val_split = "";
  CHECK(open_train_data(config).val == nullptr);
  config.seed = 2;  // another set than the one that is there
  CHECK_THROWS_AS(open_train_data(config), UsageError);
}

TEST_CASE("A COCO folder") {
  const test::TemporaryDirectory folder;
  write_shapes_files(folder / "d", shapes_splits(3, 2), {.height = 32, .width = 32},
                     ExistingFiles::kKeep);
  TrainConfig config = config_of(folder / "d");
  const TrainData data = open_train_data(config);
  CHECK(data.train->size() == 3);
  CHECK(data.val->size() == 2);
  config.val_split = "nothing";
  CHECK_THROWS_AS(open_train_data(config), Error);
  config.val_split = "";
  CHECK(open_train_data(config).val == nullptr);
}

TEST_CASE("A VOC folder, and what is left out of it") {
  const test::TemporaryDirectory folder;
  test::write_voc_tree(folder, "voc");
  TrainConfig config = config_of(folder / "voc");
  TrainData data = open_train_data(config);
  CHECK(data.train->size() == 2);
  CHECK(data.val->size() == 1);
  CHECK(data.train->num_classes() == 21);
  CHECK(data.notes.empty());
  test::add_voc_image(folder, "voc", "2007_000032", {"12"}, {{"cat", {1, 1, 1, 1}}});
  data = open_train_data(config);
  CHECK(data.train->size() == 1);
  REQUIRE(data.notes.size() == 1);
  CHECK(data.notes.front() == "left out: 2007_000032: 2 masks for 1 objects");
}

TEST_CASE("Parts that disagree about the classes are refused") {
  const test::TemporaryDirectory folder;
  write_shapes_files(folder / "d", shapes_splits(1, 1), {.height = 32, .width = 32},
                     ExistingFiles::kKeep);
  std::string text = test::read_text(folder / "d/annotations/instances_val.json");
  const std::string name = shapes_classes().front().name;
  replace_all(text, '"' + name + '"', "\"wheel\"");
  folder.write("d/annotations/instances_val.json", text);
  try {
    open_train_data(config_of(folder / "d"));
    FAIL("was accepted");
  } catch (const Error& error) {
    CHECK(error.exit_code() == ExitCode::kData);
    const std::string message = error.what();
    CHECK(message.find("'" + name + "'") != message.npos);
    CHECK(message.find("'wheel'") != message.npos);
  }
}

TEST_CASE("Data must be given and be there") {
  CHECK_THROWS_AS(open_train_data(config_of("")), UsageError);
  CHECK_THROWS_AS(open_train_data(config_of("/nothing/here")), FileError);
}

}  // namespace
}  // namespace mrcnn
