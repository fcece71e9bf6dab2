#include "tools/trainer/model_setup.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "core/error.h"
#include "core/io/safetensors.h"
#include "models/weight_metadata.h"
#include "tests/support/temporary_directory.h"
#include "tools/load_model.h"
#include "tools/trainer/checkpoint_file.h"

namespace mrcnn {
namespace {

// Classes without images.
class Classes : public Dataset {
 public:
  explicit Classes(int64_t count) {
    for (int64_t i = 1; i <= count; ++i) classes_.push_back({i, i, "thing \"" + name_of(i) + '"'});
  }
  const std::string& name() const override { return name_; }
  int64_t size() const override { return 0; }
  const std::vector<DatasetClass>& classes() const override { return classes_; }
  DatasetImage image(int64_t) const override { return {}; }
  std::vector<DatasetObject> objects(int64_t) const override { return {}; }
  std::string fingerprint() const override { return ""; }

 private:
  static std::string name_of(int64_t i) { return std::to_string(i); }
  const std::string name_ = "classes";
  std::vector<DatasetClass> classes_;
};

TrainConfig config_of(const std::string& init) {
  TrainConfig config;
  config.model = "maskrcnn_resnet18_fpn";
  config.init = init;
  config.min_size = {64, 96};
  config.max_size = 128;
  config.proposals = 77;
  config.loss_mean = LossNormalisation::kImage;
  return config;
}

const Parameter& parameter_of(const ModelSetup& setup, const std::string& wanted) {
  const Parameter* found = nullptr;
  const Module& root = setup.model->root();
  root.visit_parameters([&](const std::string& name, const Parameter& parameter) {
    if (name == wanted) found = &parameter;
  });
  REQUIRE(found != nullptr);
  return *found;
}

float first_value(const ModelSetup& setup, const std::string& name) {
  return parameter_of(setup, name).value.data<const float>()[0];
}

void save(const ModelSetup& setup, const std::string& path) {
  TensorArchive archive;
  archive.metadata = setup.metadata;
  const Module& root = setup.model->root();
  root.visit_parameters([&](const std::string& name, const Parameter& parameter) {
    if (!parameter.value.defined()) return;
    const StateTensor tensor = state_tensor(name, parameter);
    const FileBytes bytes = tensor.bytes();
    archive.tensors.push_back({name, tensor.dtype, tensor.shape, bytes.bytes});
    archive.owners.push_back(bytes.owner);
  });
  write_safetensors(path, archive);
}

constexpr const char* kBody = "backbone.body.layer1.0.conv1.weight";

TEST_CASE("Settings reach the model") {
  const MaskRcnnConfig model = training_model_config(config_of(""), 4);
  CHECK(model.num_classes == 4);
  CHECK(model.input.resize.min_size == 96);  // what inference uses: the last
  CHECK(model.input.resize.max_size == 128);
  CHECK(model.training.post_nms_top_n == 77);
  CHECK(model.training.normalisation == LossNormalisation::kImage);
}

TEST_CASE("Random and seeded values are functions of their seeds") {
  const Classes classes(3);
  TrainConfig config = config_of("");
  const ModelSetup setup = set_up_model(config, classes);
  CHECK(setup.summary_line == "maskrcnn_resnet18_fpn, 4 classes, random weights");
  CHECK(setup.reinitialised.empty());
  CHECK(setup.metadata.at(std::string(metadata_key::kClassNames)) ==
        R"(["background","thing \"1\"","thing \"2\"","thing \"3\""])");
  CHECK(first_value(set_up_model(config, classes), kBody) == first_value(setup, kBody));
  config.seed = 2;
  CHECK(first_value(set_up_model(config, classes), kBody) != first_value(setup, kBody));
  const ModelSetup seeded = set_up_model(config_of("seeded:5"), classes);
  CHECK(seeded.summary_line == "maskrcnn_resnet18_fpn, 4 classes, seeded weights 5");
  CHECK(first_value(seeded, kBody) != first_value(setup, kBody));
}

TEST_CASE("Weights for other classes keep all but the predictors, which are named") {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "w.safetensors";
  const ModelSetup source = set_up_model(config_of(""), Classes(3));
  save(source, path);
  CHECK(load_model({.weights = path}).class_names[2] == "thing \"2\"");

  const ModelSetup same = set_up_model(config_of(path), Classes(3));
  CHECK(same.reinitialised.empty());
  TrainConfig config = config_of(path);
  config.seed = 9;
  const ModelSetup tuned = set_up_model(config, Classes(5));
  CHECK(tuned.summary_line == "maskrcnn_resnet18_fpn, 6 classes, from " + path);
  const std::vector<std::string> expected = {"roi_heads.box_predictor.bbox_pred.bias",
                                             "roi_heads.box_predictor.bbox_pred.weight",
                                             "roi_heads.box_predictor.cls_score.bias",
                                             "roi_heads.box_predictor.cls_score.weight",
                                             "roi_heads.mask_predictor.mask_fcn_logits.bias",
                                             "roi_heads.mask_predictor.mask_fcn_logits.weight"};
  std::vector<std::string> names = tuned.reinitialised;
  std::sort(names.begin(), names.end());
  CHECK(names == expected);
  CHECK(first_value(tuned, kBody) == first_value(source, kBody));
  CHECK(parameter_of(tuned, expected[2]).value.numel() == 6);
  CHECK(tuned.model->config().input.resize.min_size == 96);
}

TEST_CASE("A file without the model's tensors is refused") {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "w.safetensors";
  CHECK_THROWS_AS(set_up_model(config_of(path), Classes(3)), FileError);
  TensorArchive archive;
  archive.metadata = set_up_model(config_of(""), Classes(3)).metadata;
  write_safetensors(path, archive);
  CHECK_THROWS_AS(set_up_model(config_of(path), Classes(3)), Error);
}

}  // namespace
}  // namespace mrcnn
