#include "data/coco/detection_file.h"

#include <fmt/format.h>

#include <memory>
#include <span>
#include <utility>

#include "core/error.h"
#include "data/coco/element_checks.h"
#include "data/coco/element_parser.h"
#include "data/coco/id_index.h"
#include "data/coco/parse_pieces.h"
#include "data/coco/source_file.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

constexpr const char* kResults = "results";
constexpr uint32_t kRequired = kImageIdField | kCategoryIdField | kScoreField;
constexpr ElementForm kResultForm = {.fields = kRequired | kBoxField | kSegmentationField,
                                     .required = kRequired,
                                     .box_may_be_empty = true,
                                     .check_strings = false};

// Finds images and classes by the ids of the files.
struct Vocabulary {
  explicit Vocabulary(const Dataset& dataset)
      : name(dataset.name()),
        images(static_cast<size_t>(dataset.size())),
        categories(dataset.classes().size()) {
    for (int64_t i = 0; i < dataset.size(); ++i) {
      const DatasetImage image = dataset.image(i);
      images.insert(image.id, static_cast<uint32_t>(i));
      sizes.push_back({image.height, image.width});
    }
    for (const DatasetClass& one : dataset.classes()) {
      categories.insert(one.category_id, static_cast<uint32_t>(labels.size()));
      labels.push_back(static_cast<int32_t>(one.label));
    }
  }

  std::string name;
  IdIndex images;
  IdIndex categories;
  std::vector<std::array<int64_t, 2>> sizes;  // height, width
  std::vector<int32_t> labels;
};

void check_size(std::span<const uint32_t> geometry, const std::array<int64_t, 2>& image) {
  if (geometry[0] == image[0] && geometry[1] == image[1]) return;
  throw Refusal{"segmentation",
                fmt::format("a mask of {}x{} pixels in an image of {}x{}: make it as large as "
                            "the image",
                            geometry[1], geometry[0], image[1], image[0])};
}

}  // namespace

struct DetectionFile::Piece {
  std::vector<Row> rows;
  std::vector<uint32_t> geometry;
  int64_t num_elements = 0;
  int64_t num_skipped = 0;
  std::vector<ElementProblem> problems;
};

class DetectionFile::PieceParser {
 public:
  PieceParser(const std::string& path, const Vocabulary& vocabulary, bool skip_unknown)
      : path_(path),
        vocabulary_(vocabulary),
        skip_unknown_(skip_unknown),
        elements_(std::make_unique<ElementParser>(kResultForm)) {}

  Piece operator()(const JsonPiece& text) {
    Piece piece;
    piece.num_elements = elements_->parse(
        path_, text, piece.geometry, [&](const Element& element) { take(element, piece); },
        piece.problems);
    return piece;
  }

 private:
  void take(const Element& element, Piece& piece) const {
    const uint32_t image = vocabulary_.images.find(element.image_id);
    const uint32_t category = vocabulary_.categories.find(element.category_id);
    if (image == IdIndex::kNone || category == IdIndex::kNone) {
      if (!skip_unknown_) refuse_unknown(element, image == IdIndex::kNone);
      piece.geometry.resize(element.geometry_begin);
      ++piece.num_skipped;
      return;
    }
    const bool has_box = (element.fields & kBoxField) != 0;
    if (!has_box && element.geometry == GeometryKind::kNone) {
      throw Refusal{"", "has neither a \"bbox\" nor a \"segmentation\""};
    }
    if (element.geometry == GeometryKind::kCounts || element.geometry == GeometryKind::kString) {
      check_size(std::span(piece.geometry).subspan(element.geometry_begin),
                 vocabulary_.sizes[image]);
    }
    piece.rows.push_back({.box = element.box,
                          .score = element.score,
                          .geometry_begin = element.geometry_begin,
                          .geometry_size = static_cast<uint32_t>(element.geometry_size),
                          .image = image,
                          .element = static_cast<uint32_t>(element.number),
                          .label = vocabulary_.labels[category],
                          .has_box = has_box,
                          .geometry = element.geometry});
  }

  [[noreturn]] void refuse_unknown(const Element& element, bool is_image) const {
    if (is_image) {
      throw Refusal{"image_id",
                    fmt::format("there is no image with id {} in {}: give the ground truth of "
                                "the same images, or have unknown ones skipped",
                                element.image_id, vocabulary_.name)};
    }
    throw Refusal{"category_id",
                  fmt::format("there is no category with id {} in {}: write the ids of its "
                              "categories, or have unknown ones skipped",
                              element.category_id, vocabulary_.name)};
  }

  const std::string& path_;
  const Vocabulary& vocabulary_;
  bool skip_unknown_;
  std::unique_ptr<ElementParser> elements_;
};

DetectionFile::DetectionFile(const std::string& path, const Dataset& dataset,
                             const DetectionFileOptions& options)
    : path_(path), dataset_(dataset) {
  SourceFile source(path);
  read(source, options);
}

DetectionFile::DetectionFile(const FileBytes& results, const std::string& name,
                             const Dataset& dataset, const DetectionFileOptions& options)
    : path_(name), dataset_(dataset) {
  SourceFile source(results, name);
  read(source, options);
}

void DetectionFile::read(SourceFile& source, const DetectionFileOptions& options) {
  JsonSections sections(source, JsonRoot::kList);
  const Vocabulary vocabulary(dataset_);
  parse_pieces<Piece>(
      sections, [&] { return PieceParser(path_, vocabulary, options.skip_unknown); },
      [this](Piece&& piece) { add(std::move(piece)); });
  source.check_unchanged();
  group_by_image();
}

void DetectionFile::add(Piece&& piece) {
  if (!piece.problems.empty()) {
    const ElementProblem& problem = piece.problems.front();
    throw FileError(ExitCode::kData, path_,
                    place_of(kResults, num_elements_ + problem.element, "", problem.where),
                    problem.problem);
  }
  // Rows and elements are numbered with 32 bits.
  if (num_elements_ + piece.num_elements > int64_t{UINT32_MAX}) {
    throw FileError(ExitCode::kData, path_, "", "has more than 2^32 - 1 elements");
  }
  for (Row& row : piece.rows) {
    row.geometry_begin += geometry_.size();
    row.element += static_cast<uint32_t>(num_elements_);
    any_mask_ = any_mask_ || row.geometry != GeometryKind::kNone;
    rows_.push_back(row);
  }
  geometry_.insert(geometry_.end(), piece.geometry.begin(), piece.geometry.end());
  num_elements_ += piece.num_elements;
  num_skipped_ += piece.num_skipped;
}

// Counts, sums, places: rows of one image stay in the order of the file.
void DetectionFile::group_by_image() {
  image_begin_.assign(static_cast<size_t>(dataset_.size()) + 1, 0);
  for (const Row& row : rows_) ++image_begin_[row.image + 1];
  for (size_t i = 1; i < image_begin_.size(); ++i) image_begin_[i] += image_begin_[i - 1];
  std::vector<uint64_t> next(image_begin_.begin(), image_begin_.end() - 1);
  by_image_.resize(rows_.size());
  for (size_t i = 0; i < rows_.size(); ++i) {
    by_image_[next[rows_[i].image]++] = static_cast<uint32_t>(i);
  }
}

Rle DetectionFile::mask_of(const Row& row) const {
  const auto fail = [this, &row](const std::string& problem) {
    throw FileError(ExitCode::kData, path_, place_of(kResults, row.element, "", "segmentation"),
                    problem);
  };
  if (row.geometry == GeometryKind::kNone) {
    fail("there is none: masks can be evaluated where every result has one; evaluate boxes only");
  }
  const DatasetImage image = dataset_.image(row.image);
  try {
    return draw_mask(row.geometry,
                     std::span(geometry_).subspan(row.geometry_begin, row.geometry_size),
                     image.height, image.width);
  } catch (const Error& error) {
    fail(error.what());
  }
  return {};
}

std::vector<EvaluatedDetection> DetectionFile::detections(int64_t index,
                                                          DetectionParts parts) const {
  std::vector<EvaluatedDetection> detections;
  const auto image = static_cast<size_t>(index);
  const size_t begin = image_begin_[image], end = image_begin_[image + 1];
  detections.reserve(end - begin);
  for (size_t i = begin; i < end; ++i) {
    const Row& row = rows_[by_image_[i]];
    EvaluatedDetection detection{
        .category = row.label, .score = row.score, .box = row.box, .mask = {}};
    if (parts == DetectionParts::kBoxesAndMasks || !row.has_box) {
      detection.mask = mask_of(row);
      if (!row.has_box) {
        const PixelBox box = rle_bbox(detection.mask);
        detection.box = {static_cast<double>(box.x), static_cast<double>(box.y),
                         static_cast<double>(box.width), static_cast<double>(box.height)};
      }
    }
    detections.push_back(std::move(detection));
  }
  return detections;
}

}  // namespace mrcnn
