#include "tools/evaluate/score_files.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

std::vector<Scores> example() {
  Scores scores{
      .type = "segm", .values = {0.1, 1.0 / 3, -1, 0, 1, 0.5, 0, 0, 0, 0, 0, 0.25}, .classes = {}};
  scores.classes.push_back({.category_id = 7,
                            .name = "fork, \"small\"",
                            .num_truths = 3,
                            .num_detections = 4,
                            .values = scores.values});
  return {scores};
}

TEST_CASE("JSON has every digit, classes where they are asked for") {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "scores.json";
  const std::string values =
      R"("AP":0.1,"AP50":0.3333333333333333,"AP75":-1,"APs":0,"APm":1,"APl":0.5,"AR1":0,"AR10":0,)"
      R"("AR100":0,"ARs":0,"ARm":0,"ARl":0.25})";
  write_score_json(path, example(), ScoreDetail::kSummary);
  CHECK(test::read_text(path) == "{\"segm\":{" + values + "}\n");
  write_score_json(path, example(), ScoreDetail::kPerClass);
  CHECK(test::read_text(path) ==
        "{\"segm\":{" + values + ",\"per_class\":{\"segm\":[\n" +
            R"({"category_id":7,"name":"fork, \"small\"","objects":3,"detections":4,)" + values +
            "\n]}}\n");
}

TEST_CASE("CSV has a line a class and quotes where it must") {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "scores.csv";
  const std::string header =
      "type,class,category_id,objects,detections,AP,AP50,AP75,APs,APm,APl,AR1,AR10,AR100,ARs,ARm,"
      "ARl\n";
  const std::string values = ",3,4,0.1,0.3333333333333333,-1,0,1,0.5,0,0,0,0,0,0.25\n";
  write_score_csv(path, example(), ScoreDetail::kSummary);
  CHECK(test::read_text(path) == header + "segm,all," + values);
  write_score_csv(path, example(), ScoreDetail::kPerClass);
  CHECK(test::read_text(path) ==
        header + "segm,all," + values + "segm,\"fork, \"\"small\"\"\",7" + values);
}

TEST_CASE("Intervals and VOC's numbers are written where there are any") {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "scores";
  std::vector<Scores> scores = example();
  scores[0].intervals = CocoIntervals{};
  scores[0].intervals->front() = {.low = 0.05, .high = 0.15};
  scores[0].voc = VocAp{.ap_2007 = 0.125, .ap_2012 = 0.25};
  scores[0].classes[0].ap_interval = Interval{.low = 0, .high = 1};
  scores[0].classes[0].voc = VocAp{.ap_2007 = 0.5, .ap_2012 = -1};
  write_score_json(path, scores, ScoreDetail::kPerClass);
  const std::string text = test::read_text(path);
  CHECK(text.find(R"("intervals":{"segm":{"AP":[0.05,0.15],"AP50":[-1,-1],)") != text.npos);
  CHECK(text.find(R"("voc":{"segm":{"AP2012":0.25,"AP2007":0.125}},"per_class":{"segm":[)") !=
        text.npos);
  CHECK(text.find(R"("ARl":0.25,"AP_interval":[0,1],"AP2012":-1,"AP2007":0.5})") != text.npos);
  write_score_csv(path, scores, ScoreDetail::kPerClass);
  const std::string table = test::read_text(path);
  CHECK(table.find(",ARl,AP_low,AP_high,AP2012,AP2007\n") != table.npos);
  CHECK(table.find(",0.25,0.05,0.15,0.25,0.125\n") != table.npos);
  CHECK(table.find(",0.25,0,1,-1,0.5\n") != table.npos);
}

TEST_CASE("Confusion is a square of classes and nothing") {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "confusion.csv";
  const std::vector<DatasetClass> classes{{.label = 1, .category_id = 1, .name = "cat"},
                                          {.label = 2, .category_id = 7, .name = "a, b"}};
  ConfusionMatrix confusion({1, 2}, IouKind::kBox);
  const std::array<double, 4> box{0, 0, 10, 10}, elsewhere{50, 50, 10, 10};
  const EvaluatedTruth truth{.id = 1, .category = 1, .box = box, .area = 100};
  const EvaluatedTruth missed{.id = 2, .category = 2, .box = elsewhere, .area = 100};
  const EvaluatedDetection wrong{.category = 2, .score = 0.9, .box = box};
  const EvaluatedDetection unsure{.category = 2, .score = 0.4, .box = elsewhere};
  const std::array<double, 4> nowhere{100, 0, 5, 5};
  const EvaluatedDetection ghost{.category = 1, .score = 0.8, .box = nowhere};
  confusion.add(std::vector{truth, missed}, std::vector{wrong, unsure, ghost});
  write_confusion_csv(path, classes, confusion);
  CHECK(test::read_text(path) ==
        "object,cat,\"a, b\",nothing\n"
        "cat,0,1,0\n"
        "\"a, b\",0,0,1\n"
        "nothing,1,0,0\n");
}

}  // namespace
}  // namespace mrcnn
