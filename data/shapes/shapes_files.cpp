#include "data/shapes/shapes_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/file_calls.h"
#include "core/io/input_file.h"
#include "core/parallel.h"
#include "data/coco/annotation_writer.h"
#include "data/image/write.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

// To be raised by one whenever the same parameters give other pictures.
constexpr int kGeneratorVersion = 1;

constexpr int64_t kFirstValIndex = int64_t{1} << 31;

std::string info_of(const ShapesSplit& split, const ShapesParams& params) {
  return fmt::format(
      "{{\"description\":\"maskrcnn.cpp shapes\",\"generator_version\":{},\"seed\":{},"
      "\"height\":{},\"width\":{},\"min_objects\":{},\"max_objects\":{},\"first_index\":{},"
      "\"num_images\":{}}}",
      kGeneratorVersion, params.seed, params.height, params.width, params.min_objects,
      params.max_objects, split.first_index, split.num_images);
}

std::string annotation_path(const std::string& dir, const ShapesSplit& split) {
  return (fs::path(dir) / "annotations" / ("instances_" + split.name + ".json")).string();
}

DatasetImage image_of(const std::string& dir, const ShapesSplit& split, const ShapesParams& params,
                      int64_t position) {
  DatasetImage image;
  image.id = position + 1;
  image.file_name = fmt::format("{:06}.png", image.id);
  image.path = (fs::path(dir) / split.name / image.file_name).string();
  image.height = params.height;
  image.width = params.width;
  return image;
}

enum class State { kAbsent, kSame, kOther };

State annotation_state(const std::string& path, const std::string& info) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return State::kAbsent;
  const std::string wanted = CocoAnnotationWriter::beginning(info);
  std::string found(wanted.size(), '\0');
  InputFile file(path, ExitCode::kData);
  file.read(std::as_writable_bytes(std::span(found)));
  return found == wanted ? State::kSame : State::kOther;
}

bool has_all_pictures(const std::string& dir, const ShapesSplit& split,
                      const ShapesParams& params) {
  std::error_code ignored;
  for (int64_t i = 0; i < split.num_images; ++i) {
    if (!fs::is_regular_file(image_of(dir, split, params, i).path, ignored)) return false;
  }
  return true;
}

void make_directory(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw FileError(ExitCode::kResources, path.string(), "",
                    "cannot create the folder: " + error.message());
  }
}

// Not synced one by one, which takes longer than all the rest.
void write_picture(const std::string& path, const Tensor& pixels) {
  const std::vector<std::byte> png = encode_png({.height = pixels.size(0),
                                                 .width = pixels.size(1),
                                                 .format = PngFormat::kRgb8,
                                                 .pixels = std::as_bytes(pixels.span<uint8_t>())});
  write_unsynced(path, png);
}

void write_split(const std::string& dir, const ShapesSplit& split, const ShapesParams& params,
                 const std::string& info) {
  const std::string path = annotation_path(dir, split);
  make_directory(fs::path(path).parent_path());
  make_directory(fs::path(dir) / split.name);
  file_calls::unlink(path.c_str());  // while pictures change there is no description of them

  std::vector<std::vector<ShapesObject>> objects(static_cast<size_t>(split.num_images));
  parallel_for(0, split.num_images, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      ShapesImage image = generate_shapes(params, split.first_index + i);
      write_picture(image_of(dir, split, params, i).path, image.pixels);
      objects[static_cast<size_t>(i)] = std::move(image.objects);
    }
  });
  // An annotation file never outlives its pictures.
  sync_file_system((fs::path(dir) / split.name).string());

  CocoAnnotationWriter writer(info, SegmentationForm::kPolygons);
  for (const DatasetClass& one : shapes_classes()) writer.add_class(one);
  int64_t next_id = 1;
  for (int64_t i = 0; i < split.num_images; ++i) {
    const DatasetImage image = image_of(dir, split, params, i);
    writer.add_image(image);
    for (const ShapesObject& shape : objects[static_cast<size_t>(i)]) {
      const PixelBox box = rle_bbox(shape.mask);
      DatasetObject object;
      object.id = next_id++;
      object.box = {static_cast<double>(box.x), static_cast<double>(box.y),
                    static_cast<double>(box.x + box.width),
                    static_cast<double>(box.y + box.height)};
      object.area = static_cast<double>(rle_area(shape.mask));
      object.mask = shape.mask;
      writer.add_object(object, image.id, shape.label);
    }
  }
  const std::string text = writer.finish();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

}  // namespace

std::vector<ShapesSplit> shapes_splits(int64_t train_images, int64_t val_images) {
  constexpr int64_t kMostImages = 1'000'000;
  for (const int64_t count : {train_images, val_images}) {
    if (count < 0 || count > kMostImages) {
      throw UsageError(fmt::format("shapes: {} images; possible are 0 to {}", count, kMostImages));
    }
  }
  std::vector<ShapesSplit> splits;
  if (train_images > 0) splits.push_back({"train", train_images, 0});
  if (val_images > 0) splits.push_back({"val", val_images, kFirstValIndex});
  return splits;
}

bool write_shapes_files(const std::string& dir, const std::vector<ShapesSplit>& splits,
                        const ShapesParams& params, ExistingFiles existing) {
  check_shapes_params(params);
  std::vector<ShapesSplit> missing;
  for (const ShapesSplit& split : splits) {
    const std::string path = annotation_path(dir, split);
    const State state = annotation_state(path, info_of(split, params));
    if (state == State::kOther && existing == ExistingFiles::kKeep) {
      throw UsageError(path +
                       ": holds another data set or shapes of other parameters; choose another "
                       "folder, remove it, or replace it (--force)");
    }
    if (state != State::kSame || !has_all_pictures(dir, split, params)) missing.push_back(split);
  }
  for (const ShapesSplit& split : missing) {
    write_split(dir, split, params, info_of(split, params));
  }
  return !missing.empty();
}

}  // namespace mrcnn
