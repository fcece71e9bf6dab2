#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "core/fnv1a.h"
#include "data/evaluation/coco_evaluator.h"
#include "data/masks/polygon.h"
#include "data/masks/rle.h"
#include "tests/support/golden.h"

namespace mrcnn {
namespace {

template <typename T>
std::vector<T> column(const test::GoldenFile& file, const std::string& name) {
  const Tensor tensor = file.golden(name);
  return {tensor.span<const T>().begin(), tensor.span<const T>().end()};
}

std::vector<CocoBox> boxes(const test::GoldenFile& file, const std::string& name) {
  const std::vector<double> numbers = column<double>(file, name);
  std::vector<CocoBox> boxes;
  for (size_t i = 0; i + 3 < numbers.size(); i += 4) {
    boxes.push_back({numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3]});
  }
  return boxes;
}

struct Size {
  int64_t height;
  int64_t width;
};

std::map<int64_t, Size> image_sizes(const test::GoldenFile& file, const std::string& split) {
  const auto id = column<int64_t>(file, split + "/image/id"),
             height = column<int64_t>(file, split + "/image/height"),
             width = column<int64_t>(file, split + "/image/width");
  std::map<int64_t, Size> sizes;
  for (size_t i = 0; i < id.size(); ++i) sizes[id[i]] = {height[i], width[i]};
  return sizes;
}

// Reads the geometry of one object after another.
class Geometry {
 public:
  Geometry(const test::GoldenFile& file, const std::string& split)
      : polygons_(column<int32_t>(file, split + "/polygons")),
        numbers_(column<int32_t>(file, split + "/numbers")),
        hundredths_(column<uint8_t>(file, split + "/hundredths")),
        num_runs_(column<int32_t>(file, split + "/num_runs")),
        runs_(column<int32_t>(file, split + "/runs")) {}

  Rle next_mask(const Size& size) {
    const size_t object = object_++;
    if (num_runs_[object] > 0) {
      const auto begin = runs_.begin() + next_run_;
      next_run_ += num_runs_[object];
      const std::vector<int64_t> counts(begin, runs_.begin() + next_run_);
      return rle_from_counts(counts, size.height, size.width);
    }
    std::vector<std::vector<double>> polygons(static_cast<size_t>(polygons_[object]));
    for (std::vector<double>& polygon : polygons) {
      const auto count = static_cast<size_t>(numbers_[next_polygon_++]);
      for (size_t i = 0; i < count; ++i, next_byte_ += 2) {
        polygon.push_back((hundredths_[next_byte_] + 256 * hundredths_[next_byte_ + 1]) / 100.0);
      }
    }
    return rle_from_polygons(polygons, size.height, size.width);
  }

 private:
  std::vector<int32_t> polygons_, numbers_;
  std::vector<uint8_t> hundredths_;
  std::vector<int32_t> num_runs_, runs_;
  size_t object_ = 0, next_polygon_ = 0, next_byte_ = 0;
  std::ptrdiff_t next_run_ = 0;
};

std::map<int64_t, std::vector<EvaluatedTruth>> truths_by_image(const test::GoldenFile& file,
                                                               const std::string& split) {
  const std::map<int64_t, Size> sizes = image_sizes(file, split);
  const auto id = column<int64_t>(file, split + "/id"),
             image = column<int64_t>(file, split + "/image_id"),
             category = column<int64_t>(file, split + "/category");
  const auto crowd = column<int32_t>(file, split + "/crowd");
  const auto area = column<double>(file, split + "/area");
  const std::vector<CocoBox> box = boxes(file, split + "/box");
  Geometry geometry(file, split);
  std::map<int64_t, std::vector<EvaluatedTruth>> truths;
  for (const auto& [image_id, size] : sizes) truths[image_id];
  for (size_t i = 0; i < id.size(); ++i) {
    truths[image[i]].push_back({.id = id[i],
                                .category = category[i],
                                .box = box[i],
                                .area = area[i],
                                .crowd = crowd[i] != 0,
                                .mask = geometry.next_mask(sizes.at(image[i]))});
  }
  return truths;
}

TEST_CASE("MatchesGolden: every annotation of 123 real images is rasterised byte by byte") {
  const test::GoldenFile file("coco_ccby_objects.safetensors");
  int num_objects = 0;
  for (const std::string split : {"train", "val"}) {
    const std::map<int64_t, Size> sizes = image_sizes(file, split);
    const auto id = column<int64_t>(file, split + "/id"),
               image = column<int64_t>(file, split + "/image_id"),
               hash = column<int64_t>(file, split + "/hash");
    Geometry geometry(file, split);
    for (size_t i = 0; i < id.size(); ++i) {
      CAPTURE(id[i]);
      const Rle mask = geometry.next_mask(sizes.at(image[i]));
      CHECK(static_cast<int64_t>(fnv1a64(rle_to_string(mask))) == hash[i]);
      ++num_objects;
    }
  }
  CHECK(num_objects == 1134);
}

TEST_CASE("MatchesGolden: 24 numbers and AP of every class of real annotations, to the last bit") {
  const auto truths = truths_by_image(test::GoldenFile("coco_ccby_objects.safetensors"), "val");
  const test::GoldenFile file("coco_ccby_detections.safetensors");
  const auto image = column<int64_t>(file, "image_id"), end = column<int64_t>(file, "rle_end");
  const auto category = column<int32_t>(file, "category");
  const auto score = column<double>(file, "score");
  const std::vector<CocoBox> box = boxes(file, "box");
  const auto bytes = column<uint8_t>(file, "rle");
  const std::string strings(bytes.begin(), bytes.end());
  const std::map<int64_t, Size> sizes =
      image_sizes(test::GoldenFile("coco_ccby_objects.safetensors"), "val");

  std::map<int64_t, std::vector<EvaluatedDetection>> detections;
  for (size_t i = 0; i < image.size(); ++i) {
    const auto begin = static_cast<size_t>(i == 0 ? 0 : end[i - 1]);
    const Size& size = sizes.at(image[i]);
    detections[image[i]].push_back(
        {.category = category[i],
         .score = score[i],
         .box = box[i],
         .mask = rle_from_string(
             std::string_view(strings).substr(begin, static_cast<size_t>(end[i]) - begin),
             size.height, size.width)});
  }
  CHECK(image.size() == 877);

  for (const auto& [kind, name] :
       {std::pair{IouKind::kBox, std::string("bbox")}, {IouKind::kMask, "segm"}}) {
    CAPTURE(name);
    CocoEvaluator evaluator(column<int64_t>(file, "categories"), kind);
    for (const auto& [id, objects] : truths) evaluator.add(id, objects, detections[id]);
    const CocoCurves curves(evaluator.matches());
    for (const auto& [sum, version] :
         {std::pair{NumpySum::kBlocks, "/numpy_1"}, {NumpySum::kWhole, "/numpy_2_3"}}) {
      CAPTURE(version);
      const CocoSummary summary = summarize(curves, sum);
      const auto expected = column<double>(file, name + version);
      for (size_t i = 0; i < kCocoMetrics.size(); ++i) {
        CAPTURE(kCocoMetrics[i]);
        CHECK(summary.values[i] == expected[i]);
      }
    }
    const CocoSummary summary = summarize(curves);
    const auto classes = column<double>(file, name + "/classes");
    REQUIRE(summary.classes.size() == classes.size());
    size_t k = 0;
    for (const auto& [id, values] : summary.classes) CHECK(values[0] == classes[k++]);
  }
}

}  // namespace
}  // namespace mrcnn
