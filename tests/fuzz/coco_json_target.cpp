// COCO annotations with polygons and run lengths, and lists of results.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/coco/annotation_writer.h"
#include "data/coco/coco_dataset.h"
#include "data/coco/detection_file.h"
#include "data/masks/rle.h"
#include "tests/fuzz/target.h"

namespace mrcnn {
namespace {

using fuzz::accepts;
using fuzz::require;

// What results are about.
constexpr std::string_view kGroundTruth =
    R"({"images":[{"id":1,"file_name":"a","height":6,"width":8},)"
    R"({"id":2,"file_name":"b","height":40,"width":30}],)"
    R"("categories":[{"id":1,"name":"a"},{"id":3,"name":"b"}],"annotations":[]})";

// Masks larger than this are drawn and measured, but not compared byte by byte.
constexpr int64_t kSmallMask = int64_t{1} << 16;

void check_mask(const Rle& mask, int64_t height, int64_t width) {
  require(mask.height == height && mask.width == width, "a mask has its image's size");
  int64_t sum = 0;
  for (size_t i = 0; i < mask.counts.size(); ++i) {
    require(i == 0 || mask.counts[i] > 0, "no run but the first is empty");
    sum += mask.counts[i];
  }
  require(sum == height * width, "runs add up to the image");
  const int64_t area = rle_area(mask);
  const PixelBox box = rle_bbox(mask);
  require(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height,
          "a mask's box lies in its image");
  require(area <= box.width * box.height && (area == 0) == (box.width * box.height == 0),
          "a mask's area fits its box");
  if (height * width > kSmallMask) return;
  require(rle_from_string(rle_to_string(mask), height, width) == mask, "run lengths survive text");
  std::vector<uint8_t> bitmap(static_cast<size_t>(height * width));
  rle_to_bitmap(mask, bitmap);
  require(rle_from_bitmap(bitmap, height, width) == mask, "run lengths survive a bitmap");
}

// The same data set, as our own writer spells it.
std::string written(const Dataset& dataset) {
  CocoAnnotationWriter writer("{}", SegmentationForm::kCompressedRle);
  for (const DatasetClass& one : dataset.classes()) writer.add_class(one);
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const DatasetImage image = dataset.image(i);
    writer.add_image(image);
    for (const DatasetObject& object : dataset.objects(i)) {
      const auto is_its = [&](const DatasetClass& one) { return one.label == object.label; };
      const auto& classes = dataset.classes();
      const auto found = std::find_if(classes.begin(), classes.end(), is_its);
      require(found != classes.end(), "every object has a class");
      writer.add_object(object, image.id, found->category_id);
    }
  }
  return writer.finish();
}

void check_dataset(const Dataset& dataset) {
  int64_t pixels = 0;
  const bool draws = accepts(ExitCode::kData, [&] {
    for (int64_t i = 0; i < dataset.size(); ++i) {
      const DatasetImage image = dataset.image(i);
      for (const DatasetObject& object : dataset.objects(i)) {
        check_mask(object.mask, image.height, image.width);
      }
      pixels += image.height * image.width;
    }
  });
  require(draws, "masks that were accepted can be drawn");
  if (pixels > kSmallMask) return;
  const std::string text = written(dataset);
  const auto again = parse_coco(fuzz::as_file(text), "written", "");
  require(again->size() == dataset.size(), "images survive being written");
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const std::vector<DatasetObject> before = dataset.objects(i), after = again->objects(i);
    require(before.size() == after.size(), "objects survive being written");
    for (size_t k = 0; k < before.size(); ++k) {
      require(before[k].mask == after[k].mask && before[k].id == after[k].id &&
                  before[k].area == after[k].area && before[k].crowd == after[k].crowd,
              "an object survives being written");
    }
  }
}

void check_annotations(const FileBytes& file) {
  int64_t num_problems = 0;
  std::unique_ptr<Dataset> lenient;
  CocoOptions options;
  options.on_problem = [&](const std::string&, const std::string&) { ++num_problems; };
  const bool lenient_accepts =
      accepts(ExitCode::kData, [&] { lenient = parse_coco(file, "t.json", "", options); });
  if (lenient_accepts) check_dataset(*lenient);
  const bool whole = lenient_accepts && num_problems == 0;
  // What is refused is seldom read a second time, to be fast.
  const uint64_t turn = fuzz::sum_of(file.bytes) % 4;
  if (!whole && turn != 0) return;
  std::unique_ptr<Dataset> strict;
  const bool strict_accepts =
      accepts(ExitCode::kData, [&] { strict = parse_coco(file, "t.json", ""); });
  require(strict_accepts == whole, "a file is accepted if and only if no element is left out");
  if (!strict_accepts) return;
  require(strict->fingerprint() == lenient->fingerprint(), "two readings are one data set");
  CocoOptions kept;
  kept.keep = turn % 2 == 0 ? CocoKeep::kTorchvision : CocoKeep::kOriginal;
  require(parse_coco(file, "t.json", "", kept)->size() <= strict->size(),
          "what is dropped makes a set smaller");
}

void check_results(const FileBytes& file) {
  static const auto truth = parse_coco(fuzz::as_file(kGroundTruth), "truth", "");
  std::optional<DetectionFile> results;
  const bool reads = accepts(ExitCode::kData, [&] {
    results.emplace(file, "t.json", *truth, DetectionFileOptions{.skip_unknown = true});
  });
  if (!reads) return;
  for (int64_t i = 0; i < truth->size(); ++i) {
    const DatasetImage image = truth->image(i);
    std::vector<EvaluatedDetection> found;
    // Whether a mask that is a string can be drawn is found out only now.
    accepts(ExitCode::kData,
            [&] { found = results->detections(i, DetectionParts::kBoxesAndMasks); });
    for (const EvaluatedDetection& one : found) check_mask(one.mask, image.height, image.width);
  }
}

}  // namespace
}  // namespace mrcnn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const mrcnn::FileBytes file = mrcnn::fuzz::as_file(data, size);
  const std::string_view text = mrcnn::fuzz::as_text(file);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != text.npos && text[first] == '[') {
    mrcnn::check_results(file);
  } else {
    mrcnn::check_annotations(file);
  }
  return 0;
}
