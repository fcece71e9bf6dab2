#include "tools/dataset/open_dataset.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/shapes/shapes_files.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/voc_tree.h"
#include "tools/dataset/voc_to_coco.h"

namespace mrcnn {
namespace {

void no_warning(const std::string& message) { FAIL_CHECK(message); }

TEST_CASE("The kind of a data set is found out") {
  const test::TemporaryDirectory folder;
  test::write_voc_tree(folder, "a/VOCdevkit/VOC2012");
  CHECK(open_dataset(folder / "a", "train", {}, no_warning)->size() == 2);
  const ShapesParams params{.height = 32, .width = 40};
  write_shapes_files(folder / "s", shapes_splits(2, 3), params, ExistingFiles::kKeep);
  CHECK(open_dataset(folder / "s", "val", {}, no_warning)->size() == 3);
  const std::string json = folder / "s/annotations/instances_train.json";
  CHECK(open_dataset(json, "", {}, no_warning)->size() == 2);
  CHECK_THROWS_AS(open_dataset(folder / "s", "val", {.compat = true}, no_warning), UsageError);
  CHECK_THROWS_AS(open_dataset(folder / "s", "val", {.classes = {"a"}}, no_warning), UsageError);
  CHECK_THROWS_AS(open_dataset(folder / "nothing", "val", {}, no_warning), FileError);
}

TEST_CASE("What is left out is told") {
  const test::TemporaryDirectory folder;
  test::write_voc_tree(folder, "voc");
  test::add_voc_image(folder, "voc", "2007_000032", {"12"}, {{"cat", {1, 1, 1, 1}}});
  std::vector<std::string> warnings;
  const auto warn = [&](const std::string& message) { warnings.push_back(message); };
  CHECK(open_dataset(folder / "voc", "train", {}, warn)->size() == 1);
  CHECK(warnings == std::vector<std::string>{"2007_000032 is left out: 2 masks for 1 objects"});
}

// The files that this project writes mean to its own reader what they were made from.
TEST_CASE("Shapes read back are what was generated") {
  const test::TemporaryDirectory folder;
  const ShapesParams params{.seed = 7, .height = 96, .width = 64};
  write_shapes_files(folder / "s", shapes_splits(20, 0), params, ExistingFiles::kKeep);
  const auto set = open_dataset(folder / "s", "train", {}, no_warning);
  REQUIRE(set->num_classes() == 6);
  for (int64_t i = 0; i < set->size(); ++i) {
    const ShapesImage wanted = generate_shapes(params, i);
    const std::vector<DatasetObject> objects = set->objects(i);
    REQUIRE(objects.size() == wanted.objects.size());
    for (size_t k = 0; k < objects.size(); ++k) {
      CHECK(objects[k].label == wanted.objects[k].label);
      CHECK(objects[k].mask == wanted.objects[k].mask);
    }
  }
}

TEST_CASE("A VOC data set and its conversion are the same objects") {
  const test::TemporaryDirectory folder;
  test::write_voc_tree(folder, "voc");
  const auto voc = open_dataset(folder / "voc", "train", {}, no_warning);
  write_voc_as_coco(*voc, "train", folder / "coco", false);
  const auto coco = open_dataset(folder / "coco", "train", {}, no_warning);
  CHECK(coco->num_classes() == voc->num_classes());
  REQUIRE(coco->size() == voc->size());
  for (int64_t i = 0; i < voc->size(); ++i) {
    int64_t j = 0;  // COCO's images come in the order of their ids
    while (coco->image(j).id != voc->image(i).id) REQUIRE(++j < coco->size());
    const std::vector<DatasetObject> wanted = voc->objects(i);
    const std::vector<DatasetObject> objects = coco->objects(j);
    REQUIRE(objects.size() == wanted.size());
    for (size_t k = 0; k < objects.size(); ++k) {
      CHECK(objects[k].id == wanted[k].id);
      CHECK(objects[k].label == wanted[k].label);
      CHECK(objects[k].box == wanted[k].box);
      CHECK(objects[k].area == wanted[k].area);
      CHECK(objects[k].mask == wanted[k].mask);
    }
  }
}

}  // namespace
}  // namespace mrcnn
