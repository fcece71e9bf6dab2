#include "tools/trainer/model_evaluation.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "data/image/image.h"

namespace mrcnn {
namespace {

CocoBox coco_box(double x1, double y1, double x2, double y2) { return {x1, y1, x2 - x1, y2 - y1}; }

std::vector<EvaluatedTruth> truths_of(const Dataset& dataset, int64_t index) {
  std::vector<EvaluatedTruth> truths;
  for (DatasetObject& object : dataset.objects(index)) {
    const auto& [x1, y1, x2, y2] = object.box;
    truths.push_back({.category = object.label,
                      .box = coco_box(x1, y1, x2, y2),
                      .area = object.area,
                      .crowd = object.crowd,
                      .mask = std::move(object.mask)});
  }
  return truths;
}

std::vector<EvaluatedDetection> detections_of(const Instances& instances,
                                              const MaskRcnnConfig& config) {
  if (instances.size() == 0) return {};
  std::vector<Rle> masks = encode_masks(instances, config);
  std::vector<EvaluatedDetection> detections;
  for (int64_t i = 0; i < instances.size(); ++i) {
    const float* box = instances.boxes.data<const float>() + i * 4;
    detections.push_back({.category = instances.labels.data<const int64_t>()[i],
                          .score = static_cast<double>(instances.scores.data<const float>()[i]),
                          .box = coco_box(box[0], box[1], box[2], box[3]),
                          .mask = std::move(masks[static_cast<size_t>(i)])});
  }
  return detections;
}

}  // namespace

ModelEvaluation evaluate_model(const MaskRcnn& model, const Dataset& dataset,
                               const ModelEvaluationOptions& options) {
  std::vector<int64_t> labels;
  for (const DatasetClass& one : dataset.classes()) labels.push_back(one.label);
  const CocoEvaluatorOptions counted{.num_mistakes = options.num_mistakes};
  CocoEvaluator boxes(labels, IouKind::kBox, counted), masks(labels, IouKind::kMask, counted);
  ModelEvaluation result;
  const int64_t count =
      options.max_images > 0 ? std::min(options.max_images, dataset.size()) : dataset.size();
  const auto count_image = [&](int64_t index, const Instances& found) {
    const std::vector<EvaluatedTruth> truths = truths_of(dataset, index);
    const std::vector<EvaluatedDetection> detections = detections_of(found, model.config());
    const int64_t id = dataset.image(index).id;
    boxes.add(id, truths, detections);
    masks.add(id, truths, detections);
    ++result.images;
  };
  for (int64_t first = 0; first < count; first += options.batch) {
    if (options.stop_requested && options.stop_requested()) {
      result.complete = false;
      break;
    }
    std::vector<Tensor> pixels;
    std::vector<int64_t> indices;
    for (int64_t i = first; i < std::min(count, first + options.batch); ++i) {
      try {
        pixels.push_back(load_image(dataset.image(i).path, {.exif = ExifPolicy::kIgnore}).pixels);
        indices.push_back(i);
      } catch (const FileError& error) {
        result.skipped.emplace_back(error.what());
        count_image(i, {});
      }
    }
    const std::vector<Instances> found = model.detect(pixels);
    for (size_t k = 0; k < found.size(); ++k) count_image(indices[k], found[k]);
    if (options.progress) options.progress(std::min(count, first + options.batch));
  }
  result.parts = {evaluated_part(IouKind::kBox, boxes), evaluated_part(IouKind::kMask, masks)};
  result.box = summarize(CocoCurves(result.parts[0].matches));
  result.mask = summarize(CocoCurves(result.parts[1].matches));
  return result;
}

}  // namespace mrcnn
