#include "data/evaluation/coco_evaluator.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "core/error.h"
#include "core/random.h"
#include "data/masks/rle.h"
#include "tests/support/golden.h"

namespace mrcnn {
namespace {

constexpr int64_t kHeight = 120, kWidth = 140;

std::vector<Rle> masks_of(const test::GoldenFile& file, const std::string& prefix) {
  const Tensor bytes = file.golden(prefix + "/rle"), ends = file.golden(prefix + "/rle_end");
  const auto* const text = static_cast<const char*>(static_cast<const void*>(bytes.raw()));
  std::vector<Rle> masks;
  int64_t begin = 0;
  for (const int64_t end : ends.span<const int64_t>()) {
    masks.push_back(
        rle_from_string({text + begin, static_cast<size_t>(end - begin)}, kHeight, kWidth));
    begin = end;
  }
  return masks;
}

CocoBox box_at(const Tensor& boxes, size_t i) {
  const double* box = boxes.data<const double>() + i * 4;
  return {box[0], box[1], box[2], box[3]};
}

CocoSummary evaluate(const test::GoldenFile& file, const std::string& set, IouKind kind) {
  const Tensor categories = file.golden(set + "/categories");
  CocoEvaluator evaluator(
      {categories.span<const int64_t>().begin(), categories.span<const int64_t>().end()}, kind);
  const auto column = [&](const std::string& name) { return file.golden(set + "/" + name); };
  const Tensor truth_image = column("truth/image"), truth_category = column("truth/category"),
               truth_box = column("truth/box"), truth_area = column("truth/area"),
               crowd = column("truth/crowd"), image = column("detection/image"),
               category = column("detection/category"), box = column("detection/box"),
               score = column("detection/score");
  const std::vector<Rle> truth_masks = masks_of(file, set + "/truth");
  const std::vector<Rle> masks = masks_of(file, set + "/detection");
  const Tensor images = column("images");
  // From the last image to the first: the order must not matter.
  for (int64_t k = images.numel(); k-- > 0;) {
    const int64_t id = images.data<const int64_t>()[k];
    std::vector<EvaluatedTruth> truths;
    for (size_t i = 0; i < truth_masks.size(); ++i) {
      if (truth_image.span<const int64_t>()[i] != id) continue;
      truths.push_back({.category = truth_category.span<const int64_t>()[i],
                        .box = box_at(truth_box, i),
                        .area = truth_area.span<const double>()[i],
                        .crowd = crowd.span<const int32_t>()[i] != 0,
                        .mask = truth_masks[i]});
    }
    std::vector<EvaluatedDetection> detections;
    for (size_t i = 0; i < masks.size(); ++i) {
      if (image.span<const int64_t>()[i] != id) continue;
      detections.push_back({.category = category.span<const int64_t>()[i],
                            .score = score.span<const double>()[i],
                            .box = box_at(box, i),
                            .mask = masks[i]});
    }
    evaluator.add(id, truths, detections);
  }
  return evaluator.summary();
}

TEST_CASE("All numbers equal pycocotools to the last bit") {
  const test::GoldenFile file("coco_evaluation.safetensors");
  int sets = 0;
  for (; file.has("set" + std::to_string(sets) + "/bbox"); ++sets) {
    const std::string set = "set" + std::to_string(sets);
    CAPTURE(set);
    for (const auto& [kind, name] :
         {std::pair{IouKind::kBox, "/bbox"}, {IouKind::kMask, "/segm"}}) {
      CAPTURE(name);
      const CocoSummary summary = evaluate(file, set, kind);
      const Tensor expected = file.golden(set + name),
                   classes = file.golden(set + name + "/classes");
      for (size_t i = 0; i < summary.values.size(); ++i) {
        CAPTURE(kCocoMetrics[i]);
        CHECK(summary.values[i] == expected.span<const double>()[i]);
      }
      size_t k = 0;
      for (const auto& [category, values] : summary.classes) {
        CHECK(values[0] == classes.span<const double>()[k++]);
      }
    }
  }
  CHECK(sets == 12);
}

EvaluatedTruth square(int64_t category, double x) {
  std::vector<uint8_t> bitmap(20 * 20, 0);
  for (size_t y = 0; y < 10; ++y) {
    for (size_t column = 0; column < 10; ++column) {
      bitmap[y * 20 + column + static_cast<size_t>(x)] = 1;
    }
  }
  return {.category = category,
          .box = {x, 0, 10, 10},
          .area = 100,
          .crowd = false,
          .mask = rle_from_bitmap(bitmap, 20, 20)};
}

TEST_CASE("Perfect detections give 1, an object that was missed counts") {
  for (const IouKind kind : {IouKind::kBox, IouKind::kMask}) {
    CocoEvaluator evaluator({1, 2}, kind);
    const std::vector<EvaluatedTruth> truths{square(1, 0), square(2, 5)};
    const std::vector<EvaluatedDetection> found{
        {.category = 1, .score = 0.9, .box = truths[0].box, .mask = truths[0].mask},
        {.category = 2, .score = 0.3, .box = truths[1].box, .mask = truths[1].mask}};
    evaluator.add(1, truths, found);
    // Not quite 1: precision is divided by the counts plus epsilon, as in the reference.
    CHECK(evaluator.summary().values[0] == doctest::Approx(1).epsilon(1e-15));
    evaluator.add(2, truths, {});  // an image without detections is not forgotten
    CHECK(evaluator.summary().values[0] < 0.51);
    CHECK(evaluator.summary().values[8] == 0.5);
  }
}

TEST_CASE("Nothing to find is -1, other categories are not counted") {
  CocoEvaluator evaluator({1}, IouKind::kBox);
  CHECK(evaluator.summary().values[0] == -1);
  evaluator.add(1, std::vector<EvaluatedTruth>{square(5, 0)}, {});
  CHECK(evaluator.summary().values[0] == -1);
}

TEST_CASE("RejectsScoresThatAreNoNumbersAndImagesTwice") {
  CocoEvaluator evaluator({1}, IouKind::kBox);
  const std::vector<EvaluatedDetection> found{
      {.category = 9, .score = std::nan(""), .box = {0, 0, 1, 1}, .mask = {}}};
  CHECK_THROWS_WITH_AS(evaluator.add(5, {}, found), doctest::Contains("image 5"), Error);
  evaluator.add(5, {}, {});
  CHECK(evaluator.matches().image_ids == std::vector<int64_t>{5});
  evaluator.add(5, {}, {});
  CHECK_THROWS_WITH_AS(evaluator.matches(), doctest::Contains("image 5 was added twice"), Error);
}

TEST_CASE("Oddities of pycocotools are there on demand only") {
  std::vector<EvaluatedTruth> truths{square(1, 0)};
  truths[0].id = 0;
  const std::vector<EvaluatedDetection> found{
      {.category = 1, .score = 1, .box = {0, 0, 200, 200}, .mask = truths[0].mask}};
  const auto summary = [&](const CocoEvaluatorOptions& options) {
    CocoEvaluator evaluator({1}, IouKind::kMask, options);
    evaluator.add(1, truths, found);
    return evaluator.summary().values;
  };
  CHECK(summary({})[8] == 1);
  CHECK(summary({.strict_ids = true})[8] == 0);
  // A wrong detection is left out where its size is out of range: by its box it is large.
  truths[0].id = 1;
  const auto small = [&](const CocoEvaluatorOptions& options) {
    CocoEvaluator evaluator({1}, IouKind::kMask, options);
    evaluator.add(1, truths, found);
    const std::vector<EvaluatedDetection> elsewhere{
        {.category = 1, .score = 2, .box = {0, 0, 200, 200}, .mask = square(1, 10).mask}};
    evaluator.add(2, {}, elsewhere);
    return evaluator.summary().values[3];
  };
  CHECK(small({}) == doctest::Approx(0.5));
  CHECK(small({.strict_areas = true}) == doctest::Approx(1));
}

TEST_CASE("Curves: the score that reaches a recall, numbers of objects") {
  CocoEvaluator evaluator({1, 2}, IouKind::kBox);
  const std::vector<EvaluatedTruth> truths{square(1, 0), square(1, 10)};
  const std::vector<EvaluatedDetection> found{
      {.category = 1, .score = 0.75, .box = {50, 50, 5, 5}, .mask = {}},
      {.category = 1, .score = 0.5, .box = truths[0].box, .mask = {}}};
  evaluator.add(1, truths, found);
  const CocoCurves curves(evaluator.matches());
  CHECK(curves.categories() == std::vector<int64_t>{1, 2});
  CHECK(curves.num_truths(0, 0) == 2);
  CHECK(curves.num_truths(0, 3) == 0);
  CHECK(curves.num_detections(0) == 2);
  CHECK(curves.precision(0, 0, 0, 0, 2) == doctest::Approx(0.5));
  CHECK(curves.score(0, 0, 0, 0, 2) == 0.75);
  CHECK(curves.score(0, 50, 0, 0, 2) == 0.5);
  CHECK(curves.precision(0, 51, 0, 0, 2) == 0);
  CHECK(curves.score(0, 51, 0, 0, 2) == 0);
  CHECK(curves.recall(0, 0, 0, 2) == 0.5);
  CHECK(curves.recall(0, 0, 0, 0) == 0);  // only the first detection
  CHECK(curves.recall(0, 1, 0, 2) == -1);
  CHECK(curves.precision(9, 0, 0, 3, 2) == -1);
}

TEST_CASE("Overlap: crowds count the detection's area only, sizes must agree") {
  const EvaluatedTruth a = square(1, 0), b = square(1, 5);
  CHECK(coco_box_iou(a.box, b.box, false) == doctest::Approx(1.0 / 3));
  CHECK(coco_box_iou(a.box, b.box, true) == doctest::Approx(0.5));
  CHECK(coco_mask_iou(BoxedMask(a.mask), BoxedMask(b.mask), false) == doctest::Approx(1.0 / 3));
  CHECK(coco_mask_iou(BoxedMask(a.mask), BoxedMask(b.mask), true) == doctest::Approx(0.5));
  const std::vector<uint8_t> other(20 * 21, 1);
  const Rle larger = rle_from_bitmap(other, 20, 21);
  CHECK(coco_mask_iou(BoxedMask(a.mask), BoxedMask(larger), false) == -1);
}

TEST_CASE("Masks are compared as pixel by pixel") {
  for (uint32_t number = 0; number < 300; ++number) {
    const RandomStream random{.seed = 17, .step = number};
    const int64_t height = 1 + number % 11, width = 1 + number % 17;
    const auto size = static_cast<size_t>(height * width);
    std::vector<uint8_t> a(size), b(size);
    int64_t either = 0, both = 0;
    for (size_t i = 0; i < size; ++i) {
      a[i] = random.uniform(2 * i) < random.uniform(1000) ? 1 : 0;
      b[i] = random.uniform(2 * i + 1) < random.uniform(1001) ? 1 : 0;
      either += a[i] | b[i];
      both += a[i] & b[i];
    }
    const Rle first = rle_from_bitmap(a, height, width), second = rle_from_bitmap(b, height, width);
    const double expected = both == 0 ? 0 : static_cast<double>(both) / static_cast<double>(either);
    CHECK(coco_mask_iou(BoxedMask(first), BoxedMask(second), false) == expected);
    const PixelBox box = rle_bbox(first);
    CHECK(BoxedMask(first).box == CocoBox{static_cast<double>(box.x), static_cast<double>(box.y),
                                          static_cast<double>(box.width),
                                          static_cast<double>(box.height)});
    CHECK(BoxedMask(first).area == rle_area(first));
  }
}

}  // namespace
}  // namespace mrcnn
