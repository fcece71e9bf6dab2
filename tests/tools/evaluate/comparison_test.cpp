#include "tools/evaluate/comparison.h"

#include <doctest/doctest.h>

#include <string>

#include "data/coco/coco_dataset.h"
#include "data/coco/detection_file.h"
#include "tests/support/temporary_directory.h"
#include "tools/evaluate/comparison_files.h"
#include "tools/evaluate/evaluate_file.h"

namespace mrcnn {
namespace {

const std::string kGolden = std::string(MRCNN_TEST_DATA) + "/golden/coco/";

TEST_CASE("Detections are as good as themselves, and better than none") {
  const test::TemporaryDirectory folder;
  const auto dataset = open_coco(kGolden + "instances_cut.json", "", {.cache_directory = ""});
  const auto evaluated = [&dataset](const std::string& path) {
    Evaluators evaluators(*dataset, {});
    evaluate_file(*dataset, DetectionFile(path, *dataset), evaluators);
    return evaluators;
  };
  const Evaluators good = evaluated(kGolden + "results_cut.json");
  const Evaluators none = evaluated(folder.write("none.json", "[]"));
  const ResamplingOptions options{.resamples = 40};

  const auto same = compare_evaluations(good, good, options);
  REQUIRE(same.size() == 2);
  CHECK(same[0].type == "bbox");
  CHECK(same[1].type == "segm");
  CHECK(same[0].differences[0].value == 0);
  CHECK(same[0].differences[0].p == 1);
  CHECK(same[0].first == same[0].second);

  const auto better = compare_evaluations(none, good, options);
  CHECK(better[1].first[0] == 0);
  CHECK(better[1].second[0] == better[1].differences[0].value);
  CHECK(better[1].differences[0].interval.low > 0);
  CHECK(better[1].differences[0].p < 0.06);

  Evaluators boxes(*dataset, {.boxes = true, .masks = false});
  evaluate_file(*dataset, DetectionFile(folder / "none.json", *dataset), boxes);
  CHECK(compare_evaluations(good, boxes, options).size() == 1);
}

std::vector<Comparison> example() {
  Comparison one{.type = "bbox"};
  one.differences.fill({.defined = false});
  one.first[0] = 0.25;
  one.second[0] = 0.5;
  one.differences[0] = {
      .value = 0.25, .interval = {.low = -0.125, .high = 0.5}, .p = 0.0625, .defined = true};
  return {one};
}

TEST_CASE("A comparison is a line a number, for people and for programs") {
  const std::string text = format_comparison(example()[0]);
  CHECK(
      text.find("\n AP      0.250  0.500     +0.250  [-0.125, +0.500]  0.062\n AP50        -      "
                "-\n") != text.npos);

  const test::TemporaryDirectory folder;
  write_comparison_json(folder / "c.json", example());
  CHECK(test::read_text(folder / "c.json")
            .starts_with(R"({"bbox":{"AP":{"first":0.25,"second":0.5,"difference":0.25,)"
                         R"("interval":[-0.125,0.5],"p":0.0625},"AP50":null,)"));
  write_comparison_csv(folder / "c.csv", example());
  CHECK(
      test::read_text(folder / "c.csv") ==
      "type,number,first,second,difference,low,high,p\nbbox,AP,0.25,0.5,0.25,-0.125,0.5,0.0625\n");
}

}  // namespace
}  // namespace mrcnn
