#include "tools/bench/bench_photos.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "data/image/write.h"
#include "data/masks/rle.h"
#include "data/shapes/shapes.h"

namespace mrcnn {
namespace {

constexpr int kQuality = 92;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    path_ = (std::filesystem::temp_directory_path() / "maskrcnn_bench_XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) {
      throw FileError(ExitCode::kResources, path_, "", "the folder for photos cannot be made");
    }
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

DatasetObject object_of(const ShapesObject& shape) {
  const PixelBox box = rle_bbox(shape.mask);
  DatasetObject object;
  object.label = shape.label;
  object.box = {static_cast<double>(box.x), static_cast<double>(box.y),
                static_cast<double>(box.x + box.width), static_cast<double>(box.y + box.height)};
  object.area = static_cast<double>(rle_area(shape.mask));
  object.mask = shape.mask;
  return object;
}

class GeneratedPhotos : public Dataset {
 public:
  GeneratedPhotos(int64_t count, int64_t height, int64_t width)
      : name_("generated photos"),
        images_(static_cast<size_t>(count)),
        objects_(static_cast<size_t>(count)) {
    const ShapesParams params{.height = height, .width = width, .max_objects = 15};
    check_shapes_params(params);
    parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) make(i, generate_shapes(params, i));
    });
  }

  const std::string& name() const override { return name_; }
  int64_t size() const override { return static_cast<int64_t>(images_.size()); }
  const std::vector<DatasetClass>& classes() const override { return shapes_classes(); }
  DatasetImage image(int64_t index) const override { return images_[static_cast<size_t>(index)]; }
  std::vector<DatasetObject> objects(int64_t index) const override {
    return objects_[static_cast<size_t>(index)];
  }
  std::string fingerprint() const override { return name_; }

 private:
  void make(int64_t index, const ShapesImage& shapes) {
    DatasetImage& image = images_[static_cast<size_t>(index)];
    image.id = index + 1;
    image.file_name = fmt::format("{:06d}.jpg", image.id);
    image.path = folder_.path() + "/" + image.file_name;
    image.height = shapes.pixels.size(0);
    image.width = shapes.pixels.size(1);
    write_jpeg(image.path, shapes.pixels, kQuality);
    for (const ShapesObject& shape : shapes.objects) {
      objects_[static_cast<size_t>(index)].push_back(object_of(shape));
    }
  }

  std::string name_;
  TemporaryFolder folder_;
  std::vector<DatasetImage> images_;
  std::vector<std::vector<DatasetObject>> objects_;
};

class PhotosOfSize : public Dataset {
 public:
  PhotosOfSize(std::unique_ptr<Dataset> all, int64_t height, int64_t width) : all_(std::move(all)) {
    for (int64_t i = 0; i < all_->size(); ++i) {
      const auto [low, high] = std::minmax({all_->image(i).height, all_->image(i).width});
      if (low == std::min(height, width) && high == std::max(height, width)) rows_.push_back(i);
    }
    if (rows_.empty()) {
      throw Error(ExitCode::kData, fmt::format("{}: none of its {} images has {}x{} pixels",
                                               all_->name(), all_->size(), width, height));
    }
  }

  const std::string& name() const override { return all_->name(); }
  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }
  const std::vector<DatasetClass>& classes() const override { return all_->classes(); }
  DatasetImage image(int64_t index) const override { return all_->image(row(index)); }
  std::vector<DatasetObject> objects(int64_t index) const override {
    return all_->objects(row(index));
  }
  std::string fingerprint() const override { return all_->fingerprint(); }

 private:
  int64_t row(int64_t index) const { return rows_[static_cast<size_t>(index)]; }

  std::unique_ptr<Dataset> all_;
  std::vector<int64_t> rows_;
};

}  // namespace

std::unique_ptr<Dataset> generated_photos(int64_t count, int64_t height, int64_t width) {
  return std::make_unique<GeneratedPhotos>(count, height, width);
}

std::unique_ptr<Dataset> photos_of_size(std::unique_ptr<Dataset> dataset, int64_t height,
                                        int64_t width) {
  return std::make_unique<PhotosOfSize>(std::move(dataset), height, width);
}

}  // namespace mrcnn
