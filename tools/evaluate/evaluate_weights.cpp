#include "tools/evaluate/evaluate_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "core/error.h"

namespace mrcnn {
namespace {

// The objects of known classes, by category id.
ImageResult result_of(const Dataset& dataset, int64_t index, const Instances& found,
                      const std::map<int64_t, int64_t>& category_ids) {
  const DatasetImage image = dataset.image(index);
  ImageResult result{.path = image.path, .image_id = image.id};
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < found.size(); ++i) {
    if (category_ids.contains(found.labels.data<const int64_t>()[i])) rows.push_back(i);
  }
  const auto count = static_cast<int64_t>(rows.size());
  result.instances = {.height = found.height,
                      .width = found.width,
                      .boxes = Tensor::empty({count, 4}, DType::kF32),
                      .labels = Tensor::empty({count}, DType::kI64),
                      .scores = Tensor::empty({count}, DType::kF32),
                      .mask_probs = {}};
  for (int64_t k = 0; k < count; ++k) {
    const int64_t i = rows[static_cast<size_t>(k)];
    std::copy_n(found.boxes.data<const float>() + 4 * i, 4,
                result.instances.boxes.data<float>() + 4 * k);
    result.instances.labels.data<int64_t>()[k] =
        category_ids.at(found.labels.data<const int64_t>()[i]);
    result.instances.scores.data<float>()[k] = found.scores.data<const float>()[i];
  }
  return result;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return result;
}

}  // namespace

DetectDatasetRun evaluate_weights(const MaskRcnn& model, const Dataset& dataset,
                                  const DetectDatasetOptions& options, Evaluators& evaluators,
                                  ResultSink* sink) {
  std::map<int64_t, int64_t> category_ids;  // by label
  for (const DatasetClass& one : dataset.classes()) category_ids[one.label] = one.category_id;
  const TruthParts parts =
      evaluators.want_masks() ? TruthParts::kBoxesAndMasks : TruthParts::kBoxes;
  const auto take = [&](int64_t index, const Instances& found) {
    std::vector<EvaluatedDetection> detections = evaluated_detections(found, model.config());
    evaluators.add(dataset.image(index).id, dataset.truths(index, parts), detections);
    if (sink == nullptr) return;
    ImageResult result = result_of(dataset, index, found, category_ids);
    std::vector<Rle> masks;
    for (EvaluatedDetection& detection : detections) {
      if (category_ids.contains(detection.category)) masks.push_back(std::move(detection.mask));
    }
    result.masks = masks;
    sink->consume(result);
  };
  return detect_dataset(model, dataset, options, take);
}

std::vector<std::string> compare_classes(const std::vector<std::string>& class_names,
                                         const Dataset& dataset) {
  const auto count = static_cast<int64_t>(class_names.size());
  if (dataset.num_classes() > count) {
    throw Error(
        ExitCode::kData,
        fmt::format("{} has labels up to {}, but the model's go up to {}: evaluate the weights "
                    "on the data they were trained for",
                    dataset.name(), dataset.num_classes() - 1, count - 1));
  }
  std::vector<std::string> notes;
  for (const DatasetClass& one : dataset.classes()) {
    const std::string& name = class_names[static_cast<size_t>(one.label)];
    const bool unnamed = name == "class " + std::to_string(one.label);
    if (unnamed || lower(name) == lower(one.name)) continue;
    notes.push_back(fmt::format("class {} is '{}' to the model and '{}' in {}", one.label, name,
                                one.name, dataset.name()));
  }
  return notes;
}

}  // namespace mrcnn
