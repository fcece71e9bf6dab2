#include "data/evaluation/voc_evaluator.h"

#include <doctest/doctest.h>

#include "data/evaluation/voc_ap.h"

namespace mrcnn {
namespace {

using Boxes = std::vector<EvaluatedTruth>;
using Found = std::vector<EvaluatedDetection>;

EvaluatedTruth object(double x, bool difficult = false) {
  return {.category = 1, .box = {x, 0, 10, 10}, .area = 100, .difficult = difficult, .mask = {}};
}
EvaluatedDetection detection(double x, double score) {
  return {.category = 1, .score = score, .box = {x, 0, 10, 10}, .mask = {}};
}

TEST_CASE("Average precision of a curve worked out by hand") {
  // Right, wrong, right, wrong, right; five objects.
  const std::vector<double> recall{0.2, 0.2, 0.4, 0.4, 0.6};
  const std::vector<double> precision{1, 0.5, 2.0 / 3, 0.5, 0.6};
  // 0, .1, .2: 1; .3, .4: 2/3; .5, .6: 0.6; above: 0.
  CHECK(voc_ap_2007(recall, precision) == doctest::Approx((3 + 4.0 / 3 + 1.2) / 11));
  CHECK(voc_ap_2012(recall, precision) == doctest::Approx(0.2 * (1 + 2.0 / 3 + 0.6)));
  CHECK(voc_ap_2007({}, {}) == 0);
  CHECK(voc_ap_2012({}, {}) == 0);
  const std::vector<double> all{0.5, 1}, perfect{1, 1};
  CHECK(voc_ap_2007(all, perfect) == doctest::Approx(1));
  CHECK(voc_ap_2012(all, perfect) == doctest::Approx(1));
}

TEST_CASE("The larger precision further on counts") {
  const std::vector<double> recall{0, 0.5, 1}, precision{0, 0.5, 2.0 / 3};
  CHECK(voc_ap_2012(recall, precision) == doctest::Approx(2.0 / 3));
  CHECK(voc_ap_2007(recall, precision) == doctest::Approx(2.0 / 3));
}

TEST_CASE("An object is found once, difficult ones count neither way") {
  VocEvaluator evaluator({1, 2}, IouKind::kBox);
  // The second finds what is taken, the third a difficult one, the fourth nothing.
  evaluator.add(7, Boxes{object(0), object(40, true), object(80)},
                Found{detection(0, 0.9), detection(1, 0.8), detection(40, 0.7), detection(60, 0.6),
                      detection(79, 0.5)});
  const VocSummary summary = evaluator.summary();
  // Right, wrong, wrong, right of two objects: recall .5 .5 .5 1, precision 1 .5 .33 .5.
  CHECK(summary.classes.at(1).ap_2012 == doctest::Approx(0.75));
  CHECK(summary.classes.at(1).ap_2007 == doctest::Approx((6 + 5 * 0.5) / 11));
  CHECK(summary.classes.at(2).ap_2012 == -1);
  CHECK(summary.mean.ap_2012 == summary.classes.at(1).ap_2012);
}

TEST_CASE("A detection goes to the object that it covers best, even if that is taken") {
  VocEvaluator evaluator({1}, IouKind::kBox, 0.3);
  // COCO would give the second detection the object at 4.
  evaluator.add(1, Boxes{object(0), object(4)}, Found{detection(0, 0.9), detection(1, 0.8)});
  CHECK(evaluator.summary().mean.ap_2012 == doctest::Approx(0.5));
}

TEST_CASE("The order of images does not matter") {
  const Boxes truths{object(0), object(40)};
  const Found right{detection(0, 0.5)}, wrong{detection(80, 0.5)};
  VocEvaluator forward({1}, IouKind::kBox), backward({1}, IouKind::kBox);
  forward.add(1, truths, right);
  forward.add(2, truths, wrong);
  backward.add(2, truths, wrong);
  backward.add(1, truths, right);
  CHECK(forward.summary().mean.ap_2012 == doctest::Approx(0.25));
  CHECK(backward.summary().mean.ap_2012 == forward.summary().mean.ap_2012);
}

TEST_CASE("Nothing to find is -1, an overlap of exactly the least one is enough") {
  VocEvaluator evaluator({1}, IouKind::kBox);
  CHECK(evaluator.summary().mean.ap_2012 == -1);
  evaluator.add(1, Boxes{object(0)},
                Found{{.category = 1, .score = 1, .box = {0, 0, 10, 5}, .mask = {}}});
  CHECK(evaluator.summary().mean.ap_2012 == 1);
}

}  // namespace
}  // namespace mrcnn
