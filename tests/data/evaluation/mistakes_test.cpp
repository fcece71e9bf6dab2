#include "data/evaluation/mistakes.h"

#include <doctest/doctest.h>

#include <vector>

#include "data/evaluation/coco_evaluator.h"

namespace mrcnn {
namespace {

EvaluatedTruth object(int64_t id, double x, double size, bool crowd = false) {
  return {.id = id,
          .category = 1,
          .box = {x, 0, size, size},
          .area = size * size,
          .crowd = crowd,
          .mask = {}};
}
EvaluatedDetection detection(double x, double size, double score) {
  return {.category = 1, .score = score, .box = {x, 0, size, size}, .mask = {}};
}

TEST_CASE("Wrong detections by score, missed objects by area, the worst ones only") {
  CocoEvaluator evaluator({1}, IouKind::kBox, {.num_mistakes = 2});
  evaluator.add(5, std::vector{object(1, 0, 10), object(2, 100, 20), object(3, 200, 40, true)},
                std::vector{detection(0, 10, 0.9), detection(1, 10, 0.8), detection(100, 10, 0.3),
                            detection(210, 10, 0.95)});
  evaluator.add(4, std::vector{object(8, 0, 30), object(9, 50, 5)},
                std::vector{detection(90, 10, 0.8)});
  const Mistakes worst = evaluator.mistakes();
  REQUIRE(worst.false_positives.size() == 2);
  const FalsePositive& first = worst.false_positives[0];
  CHECK(first.image_id == 4);  // of equal scores
  CHECK(first.index == 0);
  CHECK(first.best_iou == 0);
  CHECK(first.box == CocoBox{90, 0, 10, 10});
  const FalsePositive& second = worst.false_positives[1];
  CHECK(second.image_id == 5);
  CHECK(second.index == 1);
  CHECK(second.best_iou > 0.5);  // found already
  REQUIRE(worst.misses.size() == 2);
  CHECK(worst.misses[0].id == 8);
  CHECK(worst.misses[0].best_iou == 0);
  CHECK(worst.misses[1].id == 2);
  CHECK(worst.misses[1].best_iou == doctest::Approx(0.25));
  CHECK(worst.misses[1].area == 400);
  CHECK(worst.misses[1].index == 1);
}

TEST_CASE("Nothing is kept unless asked for") {
  CocoEvaluator evaluator({1}, IouKind::kBox);
  evaluator.add(1, std::vector{object(1, 0, 10)}, std::vector{detection(50, 10, 1)});
  CHECK(evaluator.mistakes().false_positives.empty());
  CHECK(evaluator.mistakes().misses.empty());
}

}  // namespace
}  // namespace mrcnn
