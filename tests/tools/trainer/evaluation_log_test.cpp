#include "tools/trainer/evaluation_log.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "core/error.h"
#include "models/seeded_model.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/voc_tree.h"
#include "tests/tools/trainer/small_model.h"
#include "tools/trainer/open_data.h"

namespace mrcnn {
namespace {

TEST_CASE("An evaluation is COCO's twelve numbers for boxes and for masks") {
  ModelEvaluation evaluation;
  evaluation.box.values[0] = 0.3124;
  evaluation.box.values[1] = 0.5;
  evaluation.mask.values[0] = 0.2;
  evaluation.mask.values[1] = 0.4;
  evaluation.mask.values[8] = 0.75;
  const std::map<std::string, double> metrics = metrics_of(evaluation);
  CHECK(metrics.size() == 24);
  CHECK(metrics.at("box_ap") == 0.3124);
  CHECK(metrics.at("mask_ar100") == 0.75);
  CHECK(metrics_text(metrics) == "box AP 0.312, AP50 0.500; mask AP 0.200, AP50 0.400");
}

TEST_CASE("Every number has one column") {
  const std::vector<std::string> columns = log_columns();
  CHECK(std::set<std::string>(columns.begin(), columns.end()).size() == columns.size());
  CHECK(columns.front() == "loss");
  for (const char* name : {"loss_roi_mask", "lr", "images_per_s", "mask_apl"}) {
    CAPTURE(name);
    CHECK(std::count(columns.begin(), columns.end(), name) == 1);
  }
}

TEST_CASE("A metric that no evaluation has is refused") {
  CHECK_NOTHROW(check_metric_name("box_ap50"));
  CHECK_THROWS_WITH_AS(check_metric_name("mask_ap5"), doctest::Contains("did you mean 'mask_ap"),
                       UsageError);
  CHECK_THROWS_WITH_AS(check_metric_name("quality"), doctest::Contains("known are box_ap, "),
                       UsageError);
}

TEST_CASE("Images that cannot be read are not found and have no picture") {
  const test::TemporaryDirectory folder;
  test::write_voc_tree(folder, "voc");
  folder.write("voc/JPEGImages/2007_000001.jpg", "no picture");
  TrainConfig config;
  config.data = folder / "voc";
  const TrainData data = open_train_data(config);
  MaskRcnnConfig model_config = test::small_model_config(config);
  model_config.num_classes = 21;
  MaskRcnn model(model_config);
  load_seeded(model.root(), 6);
  model.prepare();

  const ModelEvaluation evaluation = evaluate_model(model, *data.train, {.batch = 1});
  CHECK(evaluation.images == 2);
  CHECK(evaluation.complete);
  REQUIRE(evaluation.skipped.size() == 1);
  CHECK(evaluation.skipped.front().find("2007_000001.jpg") != std::string::npos);
  CHECK(evaluate_model(model, *data.val, {.batch = 2}).skipped.size() == 1);
  CHECK_FALSE(evaluate_model(model, *data.train, {.stop_requested = [] { return true; }}).complete);

  EventFile events(folder.path(), 0);
  add_sample_pictures(draw_samples(model, *data.train), 3, events);
  events.sync();
  const std::string path = events.path();
  const std::string text = test::read_text(folder / (path.substr(path.rfind('/') + 1)));
  CHECK(text.find("annotated_and_found/0") != text.npos);
  CHECK(text.find("annotated_and_found/1") == text.npos);
}

}  // namespace
}  // namespace mrcnn
