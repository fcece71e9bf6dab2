#include "tools/dataset/stats.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "data/voc/voc.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/voc_tree.h"

namespace mrcnn {
namespace {

// Two images; the objects' areas lie on both sides of COCO's limits.
class Toy final : public Dataset {
 public:
  const std::string& name() const override { return name_; }
  int64_t size() const override { return static_cast<int64_t>(images_.size()); }
  const std::vector<DatasetClass>& classes() const override { return classes_; }
  DatasetImage image(int64_t index) const override {
    DatasetImage image;
    image.height = 100 + index;
    image.width = 200;
    return image;
  }
  std::vector<DatasetObject> objects(int64_t index) const override {
    return images_[static_cast<size_t>(index)];
  }
  std::string fingerprint() const override { return "f00"; }

  std::vector<std::vector<DatasetObject>> images_;

 private:
  std::string name_ = "toy.json";
  std::vector<DatasetClass> classes_ = {{1, 10, "a"}, {2, 30, "bb"}};
};

DatasetObject object(int64_t label, double area, bool crowd = false) {
  DatasetObject one;
  one.label = label;
  one.area = area;
  one.crowd = crowd;
  return one;
}

TEST_CASE("Objects are counted by class and size") {
  Toy toy;
  toy.images_ = {{object(1, 1023), object(1, 1024), object(2, 9215)},
                 {object(2, 9216), object(1, 5000, true)},
                 {}};
  toy.images_[0][0].difficult = true;
  const DatasetStats stats = collect_stats(toy);
  CHECK(stats.images == 3);
  CHECK(stats.images_without_objects == 1);
  CHECK(stats.objects == 4);
  CHECK(stats.crowds == 1);
  CHECK(stats.difficult == 1);
  CHECK(stats.most_objects == 3);
  CHECK(stats.classes[0].objects == 2);
  CHECK(stats.classes[0].images == 1);
  CHECK(stats.classes[1].images == 2);
  CHECK(format_stats(stats) ==
        "toy.json\n"
        "fingerprint f00\n"
        "3 images, 1 without objects, width 200, height 100 to 102\n"
        "4 objects, 1.33 an image and at most 3; 1 crowds, 1 difficult\n"
        "\n"
        "class   objects    images     small    medium     large\n"
        "a             2         1         1         1         0\n"
        "bb            2         2         0         1         1\n"
        "all           4         2         1         2         1\n");
  toy.images_.clear();
  CHECK(collect_stats(toy).min_height == 0);
}

TEST_CASE("A set of files") {
  const test::TemporaryDirectory folder;
  test::write_voc_tree(folder, "voc");
  const DatasetStats stats = collect_stats(*open_voc(folder / "voc", "train"));
  CHECK(stats.images == 2);
  CHECK(stats.classes[7].objects == 1);
  CHECK(stats.max_width == 8);
}

}  // namespace
}  // namespace mrcnn
