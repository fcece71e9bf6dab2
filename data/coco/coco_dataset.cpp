#include "data/coco/coco_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/io/sha256.h"
#include "data/coco/annotation_cache.h"
#include "data/coco/annotation_reader.h"
#include "data/coco/source_file.h"

namespace mrcnn {
namespace {

struct KeepName {
  CocoKeep keep;
  const char* name;
};
constexpr std::array<KeepName, 3> kKeepNames = {{{CocoKeep::kAll, "all"},
                                                 {CocoKeep::kTorchvision, "torchvision"},
                                                 {CocoKeep::kOriginal, "original"}}};

AnnotationTables load_tables(const std::string& path, const CocoOptions& options) {
  SourceFile source(path);
  const bool cached = source.stamp().size >= options.cache_min_bytes;
  const AnnotationCache cache(cached ? options.cache_directory : "", path);
  if (std::optional<AnnotationTables> tables = cache.load(source)) return std::move(*tables);
  // Only a cache asks for the hash of the text, which one thread computes.
  const bool keeps = !cache.path().empty();
  Sha256 hash;
  ReadAnnotations read = read_annotations(source, options.on_problem, keeps ? &hash : nullptr);
  if (keeps && read.num_problems == 0) cache.store(read.tables, source, hash.finish());
  return std::move(read.tables);
}

AnnotationTables parse_tables(const FileBytes& annotations, const std::string& name,
                              const CocoOptions& options) {
  SourceFile source(annotations, name);
  return read_annotations(source, options.on_problem).tables;
}

std::vector<DatasetClass> label_classes(const AnnotationTables& tables) {
  const std::span<const CategoryRow> rows = tables.categories;
  const bool as_they_are =
      rows.front().id >= 1 && rows.back().id <= 2 * static_cast<int64_t>(rows.size());
  std::vector<DatasetClass> classes;
  classes.reserve(rows.size());
  for (const CategoryRow& row : rows) {
    const int64_t rank = static_cast<int64_t>(classes.size()) + 1;
    classes.push_back({.label = as_they_are ? row.id : rank,
                       .category_id = row.id,
                       .name = std::string(tables.name_of(row))});
  }
  return classes;
}

// Whether anything of the box is left inside the image.
bool has_extent(const ObjectRow& object, const ImageRow& image) {
  const auto is_left = [](double begin, double size, int32_t limit) {
    const auto first = static_cast<float>(begin);
    const float last = first + static_cast<float>(size);
    const auto border = static_cast<float>(limit);
    return std::clamp(last, 0.0F, border) > std::clamp(first, 0.0F, border);
  };
  return is_left(object.box[0], object.box[2], image.width) &&
         is_left(object.box[1], object.box[3], image.height);
}

class CocoDataset final : public Dataset {
 public:
  CocoDataset(const std::string& name, const std::string& image_root, CocoKeep keep,
              AnnotationTables tables)
      : name_(name),
        image_root_(image_root),
        keep_(keep),
        tables_(std::move(tables)),
        classes_(label_classes(tables_)) {
    for (size_t i = 0; i < tables_.images.size(); ++i) {
      if (keeps(tables_.images[i])) images_.push_back(static_cast<uint32_t>(i));
    }
  }

  const std::string& name() const override { return name_; }
  int64_t size() const override { return static_cast<int64_t>(images_.size()); }
  const std::vector<DatasetClass>& classes() const override { return classes_; }

  DatasetImage image(int64_t index) const override {
    const ImageRow& row = row_of(index);
    const std::string file_name(tables_.name_of(row));
    return {.id = row.id,
            .path = image_root_.empty() ? file_name : image_root_ + "/" + file_name,
            .file_name = file_name,
            .height = row.height,
            .width = row.width};
  }

  std::vector<DatasetObject> objects(int64_t index) const override {
    const ImageRow& image = row_of(index);
    std::vector<DatasetObject> objects;
    objects.reserve(image.num_objects);
    for (const uint32_t row : tables_.by_image.subspan(image.first_object, image.num_objects)) {
      const ObjectRow& object = tables_.objects[row];
      if (keeps(object, image)) objects.push_back(to_object(object, image));
    }
    return objects;
  }

  std::vector<EvaluatedTruth> truths(int64_t index, TruthParts parts) const override {
    const ImageRow& image = row_of(index);
    std::vector<EvaluatedTruth> truths;
    truths.reserve(image.num_objects);
    for (const uint32_t row : tables_.by_image.subspan(image.first_object, image.num_objects)) {
      const ObjectRow& object = tables_.objects[row];
      if (!keeps(object, image)) continue;
      truths.push_back({.id = object.id,
                        .category = classes_[object.category].label,
                        .box = object.box,
                        .area = object.area,
                        .crowd = object.crowd != 0,
                        .mask = {}});
      if (parts == TruthParts::kBoxesAndMasks) truths.back().mask = mask_of(object, image);
    }
    return truths;
  }

  // Of the content of the file and of what is kept of it, however the file spells it.
  std::string fingerprint() const override {
    const Digest content = content_of(tables_);
    Sha256 hash;
    hash.update(std::as_bytes(std::span(content)));
    const std::string_view keep = coco_keep_name(keep_);
    hash.update(std::as_bytes(std::span(keep)));
    std::string text;
    for (const uint8_t byte : hash.finish()) text += fmt::format("{:02x}", byte);
    return text;
  }

 private:
  const ImageRow& row_of(int64_t index) const {
    if (index < 0 || index >= size()) {
      throw Error(ExitCode::kInternal,
                  fmt::format("[coco] image {} of a data set of {}", index, size()));
    }
    return tables_.images[images_[static_cast<size_t>(index)]];
  }

  bool keeps(const ObjectRow& object, const ImageRow& image) const {
    return keep_ != CocoKeep::kTorchvision || (object.crowd == 0 && has_extent(object, image));
  }

  bool keeps(const ImageRow& image) const {
    if (keep_ == CocoKeep::kAll) return true;
    if (keep_ == CocoKeep::kOriginal) return image.num_objects > 0;
    const auto rows = tables_.by_image.subspan(image.first_object, image.num_objects);
    return std::any_of(rows.begin(), rows.end(), [this](uint32_t row) {
      const ObjectRow& object = tables_.objects[row];
      return object.box[2] > 1 && object.box[3] > 1;
    });
  }

  DatasetObject to_object(const ObjectRow& row, const ImageRow& image) const {
    DatasetObject object;
    object.id = row.id;
    object.label = classes_[row.category].label;
    object.box = {row.box[0], row.box[1], row.box[0] + row.box[2], row.box[1] + row.box[3]};
    object.area = row.area;
    object.crowd = row.crowd != 0;
    object.mask = mask_of(row, image);
    return object;
  }

  Rle mask_of(const ObjectRow& row, const ImageRow& image) const {
    try {
      return draw_mask(row.geometry, tables_.geometry_of(row), image.height, image.width);
    } catch (const Error& error) {
      throw FileError(ExitCode::kData, name_, fmt::format("annotation {}", row.id), error.what());
    }
  }

  std::string name_;
  std::string image_root_;
  CocoKeep keep_;
  AnnotationTables tables_;
  std::vector<DatasetClass> classes_;
  std::vector<uint32_t> images_;  // rows of those that are kept
};

}  // namespace

CocoKeep coco_keep_from_name(std::string_view name) {
  for (const KeepName& one : kKeepNames) {
    if (name == one.name) return one.keep;
  }
  throw UsageError(fmt::format(
      "\"{}\" is none of all, torchvision, original: what to keep of COCO annotations", name));
}

const char* coco_keep_name(CocoKeep keep) {
  return std::find_if(kKeepNames.begin(), kKeepNames.end(),
                      [keep](const KeepName& one) { return one.keep == keep; })
      ->name;
}

std::unique_ptr<Dataset> open_coco(const std::string& annotations_path,
                                   const std::string& image_root, const CocoOptions& options) {
  return std::make_unique<CocoDataset>(annotations_path, image_root, options.keep,
                                       load_tables(annotations_path, options));
}

std::unique_ptr<Dataset> parse_coco(const FileBytes& annotations, const std::string& name,
                                    const std::string& image_root, const CocoOptions& options) {
  return std::make_unique<CocoDataset>(name, image_root, options.keep,
                                       parse_tables(annotations, name, options));
}

}  // namespace mrcnn
