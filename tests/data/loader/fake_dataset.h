// A data set in a temporary directory, for tests of what reads data sets.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "data/image/write.h"
#include "data/masks/rle.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn::test {

// Image i is 40 + i % 3 by 30 + i % 5 pixels, all of value i, with i % 3 objects: rectangles.
class FakeDataset : public Dataset {
 public:
  explicit FakeDataset(int64_t count) : classes_{{1, 1, "box"}, {2, 2, "other"}} {
    for (int64_t i = 0; i < count; ++i) {
      DatasetImage image{1000 + i, "", "", 40 + i % 3, 30 + i % 5};
      image.file_name = std::to_string(image.id) + ".png";
      image.path = directory_ / image.file_name;
      Tensor pixels = Tensor::empty({image.height, image.width, 3}, DType::kU8);
      for (uint8_t& value : pixels.span<uint8_t>()) value = static_cast<uint8_t>(i);
      write_image(image.path, pixels);
      images_.push_back(std::move(image));
    }
  }

  const std::string& name() const override { return name_; }
  int64_t size() const override { return static_cast<int64_t>(images_.size()); }
  const std::vector<DatasetClass>& classes() const override { return classes_; }
  DatasetImage image(int64_t index) const override { return images_[static_cast<size_t>(index)]; }
  std::vector<DatasetObject> objects(int64_t index) const override {
    std::vector<DatasetObject> objects;
    for (int64_t k = 0; k < index % 3; ++k) objects.push_back(rectangle(index, k));
    if (extra_) extra_(index, objects);
    return objects;
  }
  std::string fingerprint() const override { return "fake"; }

  // Changes the objects of an image, to plant faults.
  void set_extra(std::function<void(int64_t, std::vector<DatasetObject>&)> extra) {
    extra_ = std::move(extra);
  }

  DatasetObject rectangle(int64_t index, int64_t k) const {
    const DatasetImage image = this->image(index);
    std::vector<uint8_t> bitmap(static_cast<size_t>(image.height * image.width), 0);
    const int64_t x1 = 3 + k, y1 = 5, x2 = 20 + k, y2 = 25;
    for (int64_t y = y1; y < y2; ++y) {
      for (int64_t x = x1; x < x2; ++x) bitmap[static_cast<size_t>(y * image.width + x)] = 1;
    }
    DatasetObject object;
    object.id = index * 10 + k;
    object.label = 1 + k;
    object.box = {static_cast<double>(x1), static_cast<double>(y1), static_cast<double>(x2),
                  static_cast<double>(y2)};
    object.area = static_cast<double>((x2 - x1) * (y2 - y1));
    object.mask = rle_from_bitmap(bitmap, image.height, image.width);
    return object;
  }

 private:
  std::string name_ = "fake.json";
  std::vector<DatasetClass> classes_;
  TemporaryDirectory directory_;
  std::vector<DatasetImage> images_;
  std::function<void(int64_t, std::vector<DatasetObject>&)> extra_;
};

}  // namespace mrcnn::test
