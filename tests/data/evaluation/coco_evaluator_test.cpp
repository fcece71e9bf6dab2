#include "data/evaluation/coco_evaluator.h"

#include <doctest/doctest.h>

#include <string>

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

}  // namespace
}  // namespace mrcnn
