#include "tools/trainer/model_setup.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "layers/state_dict.h"
#include "models/mask_rcnn/config_metadata.h"
#include "models/mask_rcnn/initialise.h"
#include "models/seeded_model.h"
#include "models/weight_metadata.h"
#include "models/zoo.h"
#include "tools/conversion.h"
#include "tools/load_model.h"
#include "tools/report/json_writer.h"
#include "tools/trainer/checkpoint_file.h"
#include "tools/weights.h"

namespace mrcnn {
namespace {

std::string class_names_json(const Dataset& dataset) {
  std::vector<std::string> names(static_cast<size_t>(dataset.num_classes()));
  for (size_t i = 0; i < names.size(); ++i) {
    names[i] = i == 0 ? "background" : fmt::format("class {}", i);
  }
  for (const DatasetClass& one : dataset.classes()) {
    names[static_cast<size_t>(one.label)] = one.name;
  }
  std::string text;
  JsonWriter json([&text](std::string_view part) { text += part; });
  json.begin_array();
  for (const std::string& name : names) json.value(name);
  json.end_array();
  json.finish();
  text.pop_back();  // the line break
  return text;
}

std::map<std::string, std::string> metadata_of(const MaskRcnnConfig& config,
                                               const Dataset& dataset) {
  namespace key = metadata_key;
  const Vocabulary vocabulary =
      config.naming == Naming::kOriginal ? Vocabulary::kOriginal : Vocabulary::kTorchvision;
  auto metadata = weight_metadata(vocabulary, config.name, config.num_classes);
  metadata[std::string(key::kClassNames)] = class_names_json(dataset);
  describe_config(config, metadata);
  return metadata;
}

// Loads what the file has for this model; says what it has not.
std::vector<std::string> load_weights(const TrainConfig& config, const std::string& path,
                                      const Conversion& conversion, TrainableMaskRcnn& model) {
  const LoadReport report = load_parameters(model.root(), conversion.archive);
  if (report.matched == 0) {
    throw FileError(ExitCode::kModel, path, "", "holds no tensor of " + config.model);
  }
  return initialise_missing(model.root(), config.seed);
}

}  // namespace

MaskRcnnConfig training_model_config(const TrainConfig& config, int64_t num_classes) {
  MaskRcnnConfig model = model_config(config.model, num_classes);
  model.input.resize.min_size = config.min_size.back();
  model.input.resize.max_size = config.max_size;
  TrainingConfig& training = model.training;
  training.normalisation = config.loss_mean;
  training.rpn_samples = config.rpn_samples;
  training.roi_samples = config.roi_samples;
  training.pre_nms_top_n = config.proposals;
  training.post_nms_top_n = config.proposals;
  training.compat = config.compat;
  return model;
}

ModelSetup set_up_model(const TrainConfig& config, const Dataset& dataset) {
  const int64_t num_classes = dataset.num_classes();
  MaskRcnnConfig model = training_model_config(config, num_classes);
  ModelSetup setup;
  const std::optional<uint64_t> seeded = seeded_weights_seed(config.init);
  if (config.init.empty() || seeded) {
    // Frozen norms that nobody trained have eps 1e-5 in both references.
    if (!seeded && model.backbone.norm == NormKind::kFrozen) model.backbone.norm_eps = 1e-5;
    setup.model = std::make_unique<TrainableMaskRcnn>(model);
    if (seeded) {
      load_seeded(setup.model->root(), *seeded);
    } else {
      initialise(setup.model->root(), config.seed);
    }
    setup.summary_line =
        fmt::format("{}, {} classes, {}", config.model, num_classes,
                    seeded ? fmt::format("seeded weights {}", *seeded) : "random weights");
  } else {
    const Conversion conversion = convert_to_model(
        read_weights(config.init), config.init,
        {.model = config.model, .num_classes = num_classes, .bn_eps = std::nullopt});
    apply_metadata(conversion.archive.metadata, model);
    model.input.resize.min_size = config.min_size.back();
    model.input.resize.max_size = config.max_size;
    setup.model = std::make_unique<TrainableMaskRcnn>(model);
    setup.reinitialised = load_weights(config, config.init, conversion, *setup.model);
    setup.summary_line =
        fmt::format("{}, {} classes, from {}", config.model, num_classes, config.init);
  }
  setup.metadata = metadata_of(setup.model->config(), dataset);
  return setup;
}

ModelSetup model_of_checkpoint(const TrainConfig& config, const Dataset& dataset,
                               const TensorArchive& checkpoint, const std::string& path) {
  MaskRcnnConfig model = training_model_config(config, dataset.num_classes());
  apply_metadata(checkpoint.metadata, model);
  ModelSetup setup;
  setup.model = std::make_unique<TrainableMaskRcnn>(model);
  const LoadReport report =
      load_parameters(setup.model->root(), tensors_under(checkpoint, std::string_view{}));
  if (!report.complete()) {
    throw FileError(ExitCode::kModel, path, "",
                    "does not hold the whole model: " + report.to_string(3));
  }
  setup.metadata = metadata_of(model, dataset);
  setup.summary_line = fmt::format("{}, {} classes", config.model, dataset.num_classes());
  return setup;
}

}  // namespace mrcnn
