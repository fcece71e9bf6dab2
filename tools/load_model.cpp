#include "tools/load_model.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <charconv>

#include "core/error.h"
#include "layers/state_dict.h"
#include "models/coco_classes.h"
#include "models/mask_rcnn/config_metadata.h"
#include "models/seeded_model.h"
#include "models/seeded_weights.h"
#include "models/weight_metadata.h"
#include "models/zoo.h"
#include "tools/conversion.h"
#include "tools/weights.h"

namespace mrcnn {
namespace {

constexpr std::string_view kSeeded = "seeded";

void apply_options(const LoadOptions& options, MaskRcnnConfig& config) {
  InferenceConfig& inference = config.inference;
  const auto in_unit = [](const char* name, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw UsageError(fmt::format("{} {} is not in 0..1", name, value));
    }
  };
  if (options.score_threshold) {
    in_unit("score threshold", *options.score_threshold);
    inference.score_threshold = *options.score_threshold;
  }
  if (options.nms_threshold) {
    in_unit("NMS threshold", *options.nms_threshold);
    inference.nms_threshold = *options.nms_threshold;
  }
  if (options.max_detections) {
    if (*options.max_detections < 1) throw UsageError("the detection limit must be at least 1");
    inference.max_detections = *options.max_detections;
  }
  // torchvision's models have no such faults.
  inference.compat = options.compat && config.naming == Naming::kOriginal;
}

std::vector<std::string> default_class_names(int64_t num_classes) {
  const std::span<const std::string_view> coco = coco_class_names();
  if (num_classes == static_cast<int64_t>(coco.size())) return {coco.begin(), coco.end()};
  std::vector<std::string> names;
  for (int64_t i = 0; i < num_classes; ++i) names.push_back("class " + std::to_string(i));
  return names;
}

std::vector<std::string> stored_class_names(const std::map<std::string, std::string>& metadata,
                                            int64_t num_classes, const std::string& path) {
  const auto found = metadata.find(std::string(metadata_key::kClassNames));
  if (found == metadata.end()) return default_class_names(num_classes);
  simdjson::dom::parser parser;
  simdjson::dom::array list;
  std::vector<std::string> names;
  if (parser.parse(found->second).get_array().get(list) == simdjson::SUCCESS) {
    for (const simdjson::dom::element element : list) {
      std::string_view name;
      if (element.get_string().get(name) != simdjson::SUCCESS) break;
      names.emplace_back(name);
    }
  }
  if (static_cast<int64_t>(names.size()) != num_classes) {
    throw FileError(ExitCode::kModel, path, "metadata class_names",
                    fmt::format("is not a list of {} names", num_classes));
  }
  return names;
}

LoadedModel seeded_model(const LoadOptions& options, uint64_t seed) {
  const std::string name = options.model.empty() ? "maskrcnn_resnet50_fpn" : options.model;
  MaskRcnnConfig config = model_config(name, options.seeded_classes);
  apply_options(options, config);
  LoadedModel loaded;
  loaded.model = std::make_unique<MaskRcnn>(config);
  load_seeded(loaded.model->root(), seed);
  loaded.class_names = default_class_names(config.num_classes);
  loaded.summary_line =
      fmt::format("{}, {} classes, seeded weights {} (they find nothing meaningful)", name,
                  config.num_classes, seed);
  return loaded;
}

LoadedModel model_from_file(const LoadOptions& options) {
  const std::string& path = options.weights;
  const Conversion conversion = convert_to_model(
      read_weights(path), path,
      {.model = options.model, .num_classes = std::nullopt, .bn_eps = std::nullopt});
  MaskRcnnConfig config = model_config(conversion.model, conversion.num_classes);
  apply_metadata(conversion.archive.metadata, config);
  apply_options(options, config);
  LoadedModel loaded;
  loaded.model = std::make_unique<MaskRcnn>(config);
  const LoadReport report = load_parameters(loaded.model->root(), conversion.archive);
  if (!report.complete()) {
    throw FileError(ExitCode::kModel, path, "",
                    "does not hold a complete " + conversion.model + ": " + report.to_string(3));
  }
  loaded.class_names =
      stored_class_names(conversion.archive.metadata, conversion.num_classes, path);
  loaded.summary_line =
      fmt::format("{}, {} classes, from {}", conversion.model, conversion.num_classes, path);
  return loaded;
}

}  // namespace

std::optional<uint64_t> seeded_weights_seed(const std::string& weights) {
  if (weights == kSeeded) return kGoldenSeed;
  const std::string prefix = std::string(kSeeded) + ":";
  if (!weights.starts_with(prefix)) return std::nullopt;
  uint64_t seed = 0;
  const char* end = weights.data() + weights.size();
  const auto [last, error] = std::from_chars(weights.data() + prefix.size(), end, seed);
  if (error != std::errc{} || last != end) {
    throw UsageError("weights '" + weights + "': a number must follow 'seeded:'");
  }
  return seed;
}

LoadedModel load_model(const LoadOptions& options) {
  check_execution(options.execution);  // before a large file is read
  const std::optional<uint64_t> seed = seeded_weights_seed(options.weights);
  LoadedModel loaded = seed ? seeded_model(options, *seed) : model_from_file(options);
  loaded.model->prepare(options.execution);
  return loaded;
}

}  // namespace mrcnn
