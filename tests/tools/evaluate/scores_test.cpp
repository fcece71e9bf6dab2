// From files to numbers, against pycocotools (tests/golden/coco/make_results.py).
#include "tools/evaluate/scores.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <memory>
#include <string>

#include "core/parallel.h"
#include "data/coco/coco_dataset.h"
#include "data/coco/detection_file.h"
#include "tools/evaluate/evaluate_file.h"

namespace mrcnn {
namespace {

const ScoreOptions kNewNumpy{.sum = NumpySum::kWhole};  // which the golden was made with
const std::string kGolden = std::string(MRCNN_TEST_DATA) + "/golden/coco/";

void check_values(const CocoValues& values, simdjson::dom::element expected) {
  for (size_t i = 0; i < values.size(); ++i) {
    CAPTURE(kCocoMetrics[i]);
    CHECK(values[i] == expected[kCocoMetrics[i]].get_double().value());
  }
}

void check_scores(const Scores& scores, simdjson::dom::element expected) {
  CAPTURE(scores.type);
  check_values(scores.values, expected["scores"]);
  CHECK(scores.classes.size() == 80);
  for (const ClassScores& one : scores.classes) {
    CAPTURE(one.name);
    check_values(one.values, expected["classes"][std::to_string(one.category_id)]);
  }
}

TEST_CASE("All numbers, those of the classes too, equal pycocotools to the last bit") {
  simdjson::dom::parser parser;
  const simdjson::dom::element expected = parser.load(kGolden + "results_expected.json");
  const auto dataset = open_coco(kGolden + "instances_cut.json", "", {.cache_directory = ""});
  const DetectionFile file(kGolden + "results_cut.json", *dataset);
  REQUIRE(file.first_has_box());
  const int threads = num_threads();
  for (const int wanted : {1, 3}) {
    set_num_threads(wanted);
    Evaluators both(*dataset, {});
    evaluate_file(*dataset, file, both);
    const std::vector<Scores> scores = scores_of(*dataset, both, kNewNumpy);
    REQUIRE(scores.size() == 2);
    CHECK(scores[0].type == "bbox");
    CHECK(scores[1].type == "segm");
    check_scores(scores[0], expected["bbox"]);
    check_scores(scores[1], expected["segm"]);
    CHECK(scores[0].classes[0].name == "person");
    CHECK(scores[0].classes[0].num_detections > 100);
  }
  set_num_threads(threads);

  Evaluators boxes(*dataset, {.boxes = true, .masks = false});
  evaluate_file(*dataset, file, boxes);
  check_scores(scores_of(*dataset, boxes, kNewNumpy).at(0), expected["bbox"]);
  Evaluators strict(*dataset, {.boxes = false, .masks = true, .coco = {.strict_areas = true}});
  evaluate_file(*dataset, file, strict);
  check_scores(scores_of(*dataset, strict, kNewNumpy).at(0), expected["strict"]);
}

TEST_CASE("Intervals hold the numbers, for every class too; VOC's AP is there where it is wanted") {
  const auto dataset = open_coco(kGolden + "instances_cut.json", "", {.cache_directory = ""});
  const DetectionFile file(kGolden + "results_cut.json", *dataset);
  Evaluators evaluators(*dataset, {.boxes = true, .masks = false, .voc = true});
  evaluate_file(*dataset, file, evaluators);
  const Scores scores =
      scores_of(*dataset, evaluators, {.resampling = {{.resamples = 50, .seed = 3}}}).at(0);
  REQUIRE(scores.intervals);
  constexpr double kRounding = 1e-12;  // a resample sums in another order
  for (size_t i = 0; i < scores.values.size(); ++i) {
    CAPTURE(kCocoMetrics[i]);
    CHECK((*scores.intervals)[i].low <= scores.values[i] + kRounding);
    CHECK((*scores.intervals)[i].high >= scores.values[i] - kRounding);
  }
  REQUIRE(scores.voc);
  CHECK(scores.voc->ap_2012 == doctest::Approx(scores.values[1]).epsilon(0.05));  // AP50
  for (const ClassScores& one : scores.classes) {
    CAPTURE(one.name);
    REQUIRE(one.ap_interval);
    REQUIRE(one.voc);
    CHECK((one.num_truths == 0) == (one.ap_interval->high == -1));
    CHECK((one.num_truths == 0) == (one.voc->ap_2012 == -1));
  }
  CHECK_FALSE(scores_of(*dataset, evaluators).at(0).intervals);
}

}  // namespace
}  // namespace mrcnn
