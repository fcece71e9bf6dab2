#include "data/coco/table_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace mrcnn {
namespace {

struct OwnedTables {
  std::vector<CategoryRow> categories;
  std::vector<ImageRow> images;
  std::vector<ObjectRow> objects;
  std::vector<uint32_t> by_image;
  std::vector<uint32_t> geometry;
  std::string names;
};

AnnotationTables as_tables(OwnedTables&& owned) {
  const auto owner = std::make_shared<const OwnedTables>(std::move(owned));
  return {.categories = owner->categories,
          .images = owner->images,
          .objects = owner->objects,
          .by_image = owner->by_image,
          .geometry = owner->geometry,
          .names = owner->names,
          .content = std::nullopt,
          .owner = owner};
}

template <typename Row>
IdIndex index_by_id(const std::vector<Row>& rows) {
  IdIndex index(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) index.insert(rows[i].id, static_cast<uint32_t>(i));
  return index;
}

}  // namespace

TableBuilder::TableBuilder(const std::string& path, const CocoProblemHandler& on_problem)
    : path_(path), on_problem_(on_problem) {}

void TableBuilder::report(const std::string& section, int64_t element, const std::string& id,
                          const std::string& where, const std::string& problem) {
  const std::string place = place_of(section, element, id, where);
  if (!on_problem_) throw FileError(ExitCode::kData, path_, place, problem);
  ++num_problems_;
  on_problem_(place, problem);
}

void TableBuilder::add(ParsedPiece&& piece) {
  const auto [section, is_new] = num_elements_.try_emplace(piece.section, 0);
  if (piece.is_first && !is_new) {
    throw FileError(ExitCode::kData, path_, piece.section, "appears twice");
  }
  const int64_t first_element = section->second;
  for (const ElementProblem& problem : piece.problems) {
    report(piece.section, first_element + problem.element, problem.id, problem.where,
           problem.problem);
  }
  section->second += piece.num_elements;

  const uint64_t first_name = names_.size();
  const uint64_t first_word = geometry_.size();
  names_ += piece.names;
  geometry_.insert(geometry_.end(), piece.geometry.begin(), piece.geometry.end());
  for (CategoryRow& row : piece.categories) {
    row.name_begin += first_name;
    categories_.push_back(row);
  }
  for (ParsedImage& image : piece.images) {
    image.row.name_begin += first_name;
    images_.push_back(image.row);
    image_elements_.push_back(first_element + image.element);
  }
  for (ParsedObject& object : piece.objects) {
    object.row.geometry_begin += first_word;
    objects_.push_back(object.row);
    links_.push_back({object.image_id, object.category_id, first_element + object.element});
  }
}

void TableBuilder::check_sections() const {
  for (const char* section : {kImages, kAnnotations, kCategories}) {
    if (!num_elements_.contains(section)) {
      throw FileError(ExitCode::kData, path_, "",
                      fmt::format("has no \"{}\": it is not a file of instances", section));
    }
  }
  if (categories_.empty()) throw FileError(ExitCode::kData, path_, kCategories, "is empty");
  // Rows are numbered with 32 bits, and the last number stands for none.
  if (std::max(images_.size(), objects_.size()) >= IdIndex::kNone) {
    throw FileError(ExitCode::kData, path_, "", "has more than 2^32 - 2 images or annotations");
  }
}

void TableBuilder::sort_categories() {
  std::stable_sort(categories_.begin(), categories_.end(),
                   [](const CategoryRow& a, const CategoryRow& b) { return a.id < b.id; });
  const auto twice =
      std::adjacent_find(categories_.begin(), categories_.end(),
                         [](const CategoryRow& a, const CategoryRow& b) { return a.id == b.id; });
  if (twice != categories_.end()) {
    throw FileError(ExitCode::kData, path_, kCategories,
                    fmt::format("id {} appears twice", twice->id));
  }
}

void TableBuilder::sort_images() {
  std::vector<uint32_t> order(images_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [this](uint32_t a, uint32_t b) { return images_[a].id < images_[b].id; });
  std::vector<ImageRow> sorted;
  sorted.reserve(images_.size());
  for (const uint32_t i : order) {
    if (!sorted.empty() && sorted.back().id == images_[i].id) {
      report(kImages, image_elements_[i], std::to_string(images_[i].id), "id", "appears twice");
    } else {
      sorted.push_back(images_[i]);
    }
  }
  images_ = std::move(sorted);
}

TableBuilder::Mismatch TableBuilder::resolve(ObjectRow& row, const Link& link,
                                             const IdIndex& images,
                                             const IdIndex& categories) const {
  row.image = images.find(link.image_id);
  row.category = categories.find(link.category_id);
  if (row.image == IdIndex::kNone) {
    return {"image_id", fmt::format("there is no image with id {}", link.image_id)};
  }
  if (row.category == IdIndex::kNone) {
    return {"category_id", fmt::format("there is no category with id {}", link.category_id)};
  }
  const bool is_sized =
      row.geometry == GeometryKind::kCounts || row.geometry == GeometryKind::kString;
  if (!is_sized) return {};
  const int64_t height = geometry_[row.geometry_begin];
  const int64_t width = geometry_[row.geometry_begin + 1];
  const ImageRow& image = images_[row.image];
  if (height == image.height && width == image.width) return {};
  return {"segmentation", fmt::format("run lengths of {}x{} pixels in an image of {}x{}", width,
                                      height, image.width, image.height)};
}

void TableBuilder::resolve_objects() {
  const IdIndex images = index_by_id(images_);
  const IdIndex categories = index_by_id(categories_);
  IdIndex ids(objects_.size());
  size_t kept = 0;
  for (size_t i = 0; i < objects_.size(); ++i) {
    ObjectRow row = objects_[i];
    Mismatch mismatch = resolve(row, links_[i], images, categories);
    if (mismatch.problem.empty() && !ids.insert(row.id, static_cast<uint32_t>(i))) {
      mismatch = {"id", "appears twice"};
    }
    if (mismatch.problem.empty()) {
      objects_[kept++] = row;
    } else {
      report(kAnnotations, links_[i].element, std::to_string(row.id), mismatch.where,
             mismatch.problem);
    }
  }
  objects_.resize(kept);
  links_ = {};
}

// Counts each image's objects and lists them, those of one image in the order of the file.
std::vector<uint32_t> TableBuilder::group_by_image() {
  for (const ObjectRow& object : objects_) ++images_[object.image].num_objects;
  uint32_t first = 0;
  for (ImageRow& image : images_) {
    image.first_object = first;
    first += image.num_objects;
    image.num_objects = 0;
  }
  std::vector<uint32_t> rows(objects_.size());
  for (size_t i = 0; i < objects_.size(); ++i) {
    ImageRow& image = images_[objects_[i].image];
    rows[image.first_object + image.num_objects++] = static_cast<uint32_t>(i);
  }
  return rows;
}

AnnotationTables TableBuilder::finish() && {
  check_sections();
  sort_categories();
  sort_images();
  resolve_objects();
  std::vector<uint32_t> by_image = group_by_image();
  return as_tables({.categories = std::move(categories_),
                    .images = std::move(images_),
                    .objects = std::move(objects_),
                    .by_image = std::move(by_image),
                    .geometry = std::move(geometry_),
                    .names = std::move(names_)});
}

}  // namespace mrcnn
