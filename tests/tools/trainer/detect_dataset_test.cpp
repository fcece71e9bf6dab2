#include "tools/trainer/detect_dataset.h"

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/seeded_model.h"
#include "tests/data/loader/fake_dataset.h"
#include "tests/tools/trainer/small_model.h"
#include "tools/trainer/model_evaluation.h"

namespace mrcnn {
namespace {

std::unique_ptr<MaskRcnn> small_model() {
  MaskRcnnConfig config = test::small_model_config(test::small_train_config());
  config.inference.score_threshold = 0;
  auto model = std::make_unique<MaskRcnn>(config);
  load_seeded(model->root(), 6);
  model->prepare();
  return model;
}

// A line an image: its index, how much was found, the first box.
struct Notes {
  std::vector<std::string> lines;
  DetectDatasetRun run;
};

Notes notes_of(const MaskRcnn& model, const Dataset& dataset, const DetectDatasetOptions& options) {
  Notes notes;
  notes.run = detect_dataset(model, dataset, options, [&](int64_t index, const Instances& found) {
    std::string line = std::to_string(index) + ": " + std::to_string(found.size());
    if (found.size() > 0) line += " " + std::to_string(found.boxes.data<const float>()[2]);
    notes.lines.push_back(line);
  });
  return notes;
}

TEST_CASE("The batch and the thread behind change nothing") {
  const test::FakeDataset dataset(7);
  const auto model = small_model();
  const Notes alone = notes_of(*model, dataset, {});
  REQUIRE(alone.lines.size() == 7);
  CHECK(alone.lines[0].starts_with("0: "));
  CHECK_FALSE(alone.lines[0].starts_with("0: 0"));
  CHECK(alone.run.images == 7);
  CHECK(alone.run.complete);
  for (const bool behind : {false, true}) {
    CHECK(notes_of(*model, dataset, {.batch = 3, .take_behind = behind}).lines == alone.lines);
  }
  std::vector<int64_t> progress;
  const Notes few = notes_of(
      *model, dataset,
      {.batch = 2, .max_images = 3, .progress = [&](int64_t done) { progress.push_back(done); }});
  CHECK(few.lines == std::vector<std::string>(alone.lines.begin(), alone.lines.begin() + 3));
  CHECK(progress == std::vector<int64_t>{2, 3});

  const ModelEvaluation one = evaluate_model(*model, dataset, {});
  const ModelEvaluation other = evaluate_model(*model, dataset, {.batch = 2, .take_behind = true});
  CHECK(one.box.values == other.box.values);
  CHECK(one.mask.values == other.mask.values);
}

TEST_CASE("An image that cannot be read has found nothing") {
  const test::FakeDataset dataset(3);
  std::ofstream(dataset.image(1).path) << "no picture";
  const Notes notes = notes_of(*small_model(), dataset, {.batch = 1, .take_behind = true});
  REQUIRE(notes.lines.size() == 3);
  CHECK(notes.lines[1] == "1: 0");
  REQUIRE(notes.run.skipped.size() == 1);
  CHECK(notes.run.skipped[0].starts_with(dataset.image(1).path));
}

TEST_CASE("It stops between two batches, and for what its taker throws") {
  const test::FakeDataset dataset(4);
  const auto model = small_model();
  int asked = 0;
  const Notes notes = notes_of(
      *model, dataset, {.stop_requested = [&] { return ++asked > 2; }, .take_behind = true});
  CHECK_FALSE(notes.run.complete);
  CHECK(notes.lines.size() == 2);
  for (const bool behind : {false, true}) {
    CHECK_THROWS_WITH(
        detect_dataset(*model, dataset, {.take_behind = behind},
                       [](int64_t, const Instances&) { throw std::runtime_error("enough"); }),
        "enough");
  }
}

}  // namespace
}  // namespace mrcnn
