#include "data/voc/voc.h"

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/masks/rle.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/voc_tree.h"

namespace mrcnn {
namespace {

using test::TemporaryDirectory;

std::vector<std::string> rows_of(const Rle& mask) {
  std::vector<uint8_t> bitmap(static_cast<size_t>(mask.height * mask.width));
  rle_to_bitmap(mask, bitmap);
  std::vector<std::string> rows;
  for (int64_t y = 0; y < mask.height; ++y) {
    rows.emplace_back();
    for (int64_t x = 0; x < mask.width; ++x) {
      rows.back() += bitmap[static_cast<size_t>(y * mask.width + x)] != 0 ? '1' : '.';
    }
  }
  return rows;
}

TEST_CASE("A tree is read as it is meant") {
  const TemporaryDirectory folder;
  test::write_voc_tree(folder, "voc");
  const auto set = open_voc(folder / "voc", "train");
  CHECK(set->name() == folder / "voc/ImageSets/Segmentation/train.txt");
  CHECK(set->num_classes() == 21);
  CHECK(set->classes()[14].name == "person");
  CHECK(set->classes()[14].label == 15);
  CHECK(set->classes()[14].category_id == 15);
  CHECK(set->dropped().empty());
  REQUIRE(set->size() == 2);

  const DatasetImage image = set->image(0);
  CHECK(image.id == 2007000032);
  CHECK(image.file_name == "2007_000032.jpg");
  CHECK(image.path == folder / "voc/JPEGImages/2007_000032.jpg");
  CHECK(image.height == 5);
  CHECK(image.width == 8);
  CHECK(set->image(1).id == 2007000001);

  const std::vector<DatasetObject> objects = set->objects(0);
  REQUIRE(objects.size() == 2);
  CHECK(objects[0].id == 1);
  CHECK(objects[0].label == 8);
  CHECK(objects[0].box == std::array<double, 4>{1, 1, 4, 4});
  CHECK(objects[0].area == 4);
  CHECK_FALSE(objects[0].crowd);
  CHECK(rows_of(objects[0].mask) ==
        std::vector<std::string>{"........", ".11.....", ".11.....", "........", "........"});
  CHECK(objects[1].id == 2);
  CHECK(objects[1].label == 12);
  CHECK(rows_of(objects[1].mask)[3] == ".....11.");
  CHECK(set->objects(1)[0].id == 3);
  CHECK(set->objects(1)[0].area == 8);
}

TEST_CASE("Compatible with the original project on request") {
  const TemporaryDirectory folder;
  test::write_voc_tree(folder, "voc");
  test::add_voc_image(folder, "voc", "2007_000100", {"...", "..."}, {});
  folder.write("voc/ImageSets/Segmentation/train.txt", "2007_000100\n2007_000032\n2007_000001");
  const auto set = open_voc(folder / "voc", "train", {.compat = true});
  REQUIRE(set->size() == 2);
  CHECK(set->image(0).file_name == "2007_000001.jpg");
  CHECK(set->image(0).id == 0);
  CHECK(set->image(1).id == 1);
  CHECK(set->objects(0)[0].box == std::array<double, 4>{1, 1, 3, 3});
  CHECK(set->objects(0)[0].area == 4);
  CHECK(set->objects(0)[0].id == 1);
  REQUIRE(set->dropped().size() == 1);
  CHECK(set->dropped()[0].problem == "no objects");
  CHECK(open_voc(folder / "voc", "train")->size() == 3);
}

TEST_CASE("The data set is found in the folders that unpacking makes") {
  const TemporaryDirectory folder;
  test::write_voc_tree(folder, "a/VOCdevkit/VOC2012");
  test::write_voc_tree(folder, "b/VOC2012");
  CHECK(open_voc(folder / "a", "val")->size() == 1);
  CHECK(open_voc(folder / "a/VOCdevkit", "val")->size() == 1);
  CHECK(open_voc(folder / "b", "val")->size() == 1);
  test::write_voc_tree(folder, "b/VOC2007");
  CHECK_THROWS_WITH_AS(open_voc(folder / "b", "val"), doctest::Contains("more than one data set"),
                       FileError);
  CHECK_THROWS_WITH_AS(open_voc(folder / "c", "val"), doctest::Contains("ImageSets"), FileError);
}

TEST_CASE("Images whose masks and objects cannot be paired are dropped and listed, or fail") {
  const TemporaryDirectory folder;
  test::write_voc_tree(folder, "voc");
  const std::vector<std::string> rows = {"11..22", "11..22"};
  test::add_voc_image(folder, "voc", "one", rows, {{"cat", {1, 1, 2, 2}}});
  test::add_voc_image(folder, "voc", "swapped", rows,
                      {{"cat", {5, 1, 6, 2}}, {"cat", {1, 1, 2, 2}}});
  folder.write("voc/ImageSets/Segmentation/bad.txt", "one\n2007_000032\nswapped\n");
  const auto set = open_voc(folder / "voc", "bad");
  REQUIRE(set->size() == 1);
  CHECK(set->image(0).id == 2);  // "one" has no digits: ids are positions from 1
  REQUIRE(set->dropped().size() == 2);
  CHECK(set->dropped()[0].name == "one");
  CHECK(set->dropped()[0].problem == "2 masks for 1 objects");
  CHECK(set->dropped()[1].name == "swapped");
  CHECK(set->dropped()[1].problem == "0 % of the box of mask 1 lie in the box of object 1 (cat)");
  CHECK_THROWS_WITH_AS(open_voc(folder / "voc", "bad", {.mismatch = VocOptions::Mismatch::kFail}),
                       doctest::Contains("one.xml: 2 masks for 1 objects"), FileError);

  folder.write("voc/ImageSets/Segmentation/bad.txt", "swapped\n");
  CHECK_THROWS_WITH_AS(open_voc(folder / "voc", "bad"),
                       doctest::Contains("no image can be used; the first, swapped"), FileError);
  CHECK(open_voc(folder / "voc", "bad", {.compat = true})->size() == 1);
}

TEST_CASE("Own classes") {
  const TemporaryDirectory folder;
  test::add_voc_image(folder, "voc", "a", {"1"}, {{"nucleus", {1, 1, 1, 1}}});
  folder.write("voc/ImageSets/Segmentation/train.txt", "a");
  CHECK_THROWS_WITH_AS(open_voc(folder / "voc", "train"),
                       doctest::Contains("object 1: class 'nucleus' is none of: aeroplane"),
                       FileError);
  const auto set = open_voc(folder / "voc", "train", {.classes = {"cell", "nucleus"}});
  CHECK(set->num_classes() == 3);
  CHECK(set->objects(0)[0].label == 2);
  CHECK_THROWS_AS(open_voc(folder / "voc", "train", {.classes = {"cell", "cell"}}), UsageError);
}

TEST_CASE("Rejects splits that cannot be") {
  const TemporaryDirectory folder;
  test::write_voc_tree(folder, "voc");
  CHECK_THROWS_WITH_AS(open_voc(folder / "voc", "test"), doctest::Contains("there are: train, val"),
                       UsageError);
  CHECK_THROWS_AS(open_voc(folder / "voc", "../Segmentation/train"), UsageError);
  const std::string split = "voc/ImageSets/Segmentation/train.txt";
  const auto open = [&] { return open_voc(folder / "voc", "train"); };
  folder.write(split, "2007_000001\n../secret\n");
  CHECK_THROWS_WITH_AS(open(), doctest::Contains("line 2: not the name"), FileError);
  folder.write(split, "2007_000001\n2007_000001\n");
  CHECK_THROWS_WITH_AS(open(), doctest::Contains("line 2: 2007_000001 is listed twice"), FileError);
  folder.write(split, "\n\n");
  CHECK_THROWS_WITH_AS(open(), doctest::Contains("lists no image"), FileError);
}

TEST_CASE("Rejects missing and damaged files, the first of the split first") {
  const TemporaryDirectory folder;
  const auto open = [&] { return open_voc(folder / "voc", "train"); };
  test::write_voc_tree(folder, "voc");
  std::filesystem::remove(folder / "voc/JPEGImages/2007_000001.jpg");
  CHECK_THROWS_WITH_AS(open(), doctest::Contains("2007_000001.jpg: no such image"), FileError);
  std::filesystem::remove(folder / "voc/Annotations/2007_000032.xml");
  CHECK_THROWS_WITH_AS(open(), doctest::Contains("2007_000032.xml"), FileError);

  test::write_voc_tree(folder, "voc");
  test::write_voc_mask(folder / "voc/SegmentationObject/2007_000032.png", {"12"});
  CHECK_THROWS_WITH_AS(open(), doctest::Contains("is of 2x1 pixels"), FileError);
  folder.write("voc/SegmentationObject/2007_000032.png", "\x89PNG\r\n\x1a\n");
  CHECK_THROWS_WITH_AS(open(), doctest::Contains("damaged PNG"), FileError);

  test::write_voc_tree(folder, "voc");
  folder.write("voc/Annotations/2007_000032.xml", "<annotation>");
  CHECK_THROWS_WITH_AS(open(), doctest::Contains("2007_000032.xml: line 1: damaged XML"),
                       FileError);
}

TEST_CASE("The fingerprint changes with everything that training sees") {
  const TemporaryDirectory folder;
  const auto fingerprint = [&] { return open_voc(folder / "voc", "train")->fingerprint(); };
  test::write_voc_tree(folder, "voc");
  const std::string first = fingerprint();
  CHECK(first.size() == 64);
  CHECK(first == fingerprint());
  CHECK(first != open_voc(folder / "voc", "val")->fingerprint());
  CHECK(first != open_voc(folder / "voc", "train", {.compat = true})->fingerprint());
  test::add_voc_image(folder, "voc", "2007_000001", {"111", "111", "111"},
                      {{"person", {1, 1, 3, 3}}});
  const std::string filled = fingerprint();
  CHECK(first != filled);
  test::add_voc_image(folder, "voc", "2007_000001", {"111", "111", "111"},
                      {{"person", {1, 1, 3, 2}}});
  CHECK(filled != fingerprint());
}

}  // namespace
}  // namespace mrcnn
