#include "tools/evaluate/evaluate_weights.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/coco/coco_dataset.h"
#include "data/coco/detection_file.h"
#include "data/image/write.h"
#include "data/voc/voc.h"
#include "models/seeded_model.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/voc_tree.h"
#include "tests/tools/trainer/small_model.h"
#include "tools/evaluate/evaluate_file.h"
#include "tools/evaluate/scores.h"
#include "tools/infer/coco_results.h"

namespace mrcnn {
namespace {

std::unique_ptr<MaskRcnn> small_model(int64_t num_classes) {
  MaskRcnnConfig config = test::small_model_config(test::small_train_config());
  config.num_classes = num_classes;
  config.inference.score_threshold = 0;
  auto model = std::make_unique<MaskRcnn>(config);
  load_seeded(model->root(), 6);
  model->prepare();
  return model;
}

// Two images and two categories whose ids are no labels.
std::unique_ptr<Dataset> sparse_set(const test::TemporaryDirectory& folder) {
  std::string images;
  for (const char* id : {"4", "9"}) {
    Tensor pixels = Tensor::empty({48, 64, 3}, DType::kU8);
    for (size_t i = 0; i < pixels.span<uint8_t>().size(); ++i) {
      pixels.span<uint8_t>()[i] = static_cast<uint8_t>(i * 7 + i / 190);
    }
    write_image(folder / (std::string(id) + ".png"), pixels);
    images += std::string(images.empty() ? "" : ", ") + R"({"id": )" + id + R"(, "file_name": ")" +
              id + R"(.png", "height": 48, "width": 64})";
  }
  const std::string truth = folder.write(
      "gt.json", "{\"images\": [" + images +
                     R"(], "categories": [{"id": 10, "name": "Cat"}, {"id": 70, "name": "dog"}],
          "annotations": [{"id": 1, "image_id": 4, "category_id": 70, "bbox": [3, 4, 20.5, 10],
          "area": 205, "iscrowd": 0, "segmentation": [[3, 4, 23.5, 4, 23.5, 14, 3, 14]]}]})");
  return open_coco(truth, folder.path(), {.cache_directory = ""});
}

TEST_CASE("Results are kept with the ids of the data set and without other classes") {
  const test::TemporaryDirectory folder;
  const auto dataset = sparse_set(folder);
  const auto model = small_model(4);  // which finds things of classes 2 and 3
  Evaluators evaluators(*dataset, {});
  CocoResults results(folder / "r.json", MaskForm::kRle);
  const DetectDatasetRun run = evaluate_weights(*model, *dataset, {}, evaluators, &results);
  results.finish();
  CHECK(run.images == 2);
  CHECK(run.skipped.empty());

  // An id that the data set does not have would be refused here.
  const DetectionFile file(folder / "r.json", *dataset);
  CHECK(file.size() > 0);
  CHECK(file.size() < 2 * model->config().inference.max_detections);
  std::set<int64_t> labels;
  for (int64_t index = 0; index < 2; ++index) {
    for (const auto& one : file.detections(index, DetectionParts::kBoxesAndMasks)) {
      labels.insert(one.category);
      CHECK(one.mask.height == 48);
    }
  }
  CHECK(labels == std::set<int64_t>{2});
  Evaluators again(*dataset, {});
  evaluate_file(*dataset, file, again);
  const std::vector<Scores> scores = scores_of(*dataset, evaluators);
  const std::vector<Scores> read = scores_of(*dataset, again);
  for (size_t part = 0; part < 2; ++part) {
    CHECK(scores[part].classes[1].num_truths == 1);
    CHECK(scores[part].classes[1].num_detections == read[part].classes[1].num_detections);
    CHECK(scores[part].values == read[part].values);
  }
}

TEST_CASE("A PASCAL VOC set is evaluated in both ways") {
  const test::TemporaryDirectory folder;
  test::write_voc_tree(folder, "voc");
  const auto dataset = open_voc(folder / "voc", "train");
  Evaluators evaluators(*dataset, {.boxes = true, .masks = true, .voc = true});
  evaluate_weights(*small_model(21), *dataset, {.batch = 2}, evaluators, nullptr);
  for (const Scores& scores : scores_of(*dataset, evaluators)) {
    CAPTURE(scores.type);
    REQUIRE(scores.voc);
    CHECK(scores.classes.size() == 20);
    CHECK(scores.values[0] >= 0);
    CHECK(scores.voc->ap_2012 >= 0);
    CHECK(scores.voc->ap_2007 >= 0);
  }
}

TEST_CASE("Classes of other names are told of, labels that cannot be are refused") {
  const test::TemporaryDirectory folder;
  const auto dataset = sparse_set(folder);
  CHECK(compare_classes({"background", "cat", "dog", "more"}, *dataset).empty());
  CHECK(compare_classes({"background", "class 1", "class 2"}, *dataset).empty());
  const std::vector<std::string> notes = compare_classes({"background", "cat", "cow"}, *dataset);
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].starts_with("class 2 is 'cow' to the model and 'dog' in "));
  CHECK_THROWS_WITH_AS(compare_classes({"background", "cat"}, *dataset),
                       doctest::Contains("has labels up to 2, but the model's go up to 1"), Error);
}

}  // namespace
}  // namespace mrcnn
