#include "tools/dataset/stats.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

#include "data/voc/voc.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/voc_tree.h"
#include "tools/dataset/stats_picture.h"

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

std::string counts_of(const std::vector<HistogramBin>& bins) {
  std::string text;
  for (const HistogramBin& bin : bins) {
    if (bin.count > 0) text += bin.name + ":" + std::to_string(bin.count) + " ";
  }
  return text;
}

TEST_CASE("Histograms, JSON and a picture say the same") {
  Toy toy;
  toy.images_ = {{object(1, 63.9), object(1, 64), object(2, 512.0 * 512.0)},
                 {object(2, 1024), object(1, 5000, true)},
                 {}};
  const DatasetStats stats = collect_stats(toy);
  CHECK(counts_of(stats.sides) == "0-7:1 8-15:1 32-63:1 512+:1 ");
  CHECK(counts_of(stats.objects_in_image) == "0:1 1:1 3-4:1 ");
  const test::TemporaryDirectory folder;
  write_stats_json(folder / "stats.json", stats);
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.load(folder / "stats.json");
  CHECK(int64_t(root["objects"]) == 4);
  CHECK(int64_t(root["sides"]["512+"]) == 1);
  CHECK(int64_t(root["objects_in_image"]["3-4"]) == 1);
  CHECK(std::string_view(root["classes"].at(1)["name"]) == "bb");
  CHECK(int64_t(root["classes"].at(1)["large"]) == 1);

  const Tensor picture = draw_stats(stats);
  CHECK(picture.size(2) == 3);
  int64_t ink = 0;
  for (int64_t i = 0; i < picture.numel(); ++i) ink += picture.data<const uint8_t>()[i] < 200;
  CHECK(ink > picture.numel() / 100);
  CHECK(ink < picture.numel() / 4);
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
