#include "tools/trainer/model_evaluation.h"

#include <utility>

#include "tools/trainer/detect_dataset.h"

namespace mrcnn {

ModelEvaluation evaluate_model(const MaskRcnn& model, const Dataset& dataset,
                               const ModelEvaluationOptions& options) {
  std::vector<int64_t> labels;
  for (const DatasetClass& one : dataset.classes()) labels.push_back(one.label);
  const CocoEvaluatorOptions counted{.num_mistakes = options.num_mistakes};
  CocoEvaluator boxes(labels, IouKind::kBox, counted), masks(labels, IouKind::kMask, counted);
  const auto take = [&](int64_t index, const Instances& found) {
    const std::vector<EvaluatedTruth> truths = dataset.truths(index, TruthParts::kBoxesAndMasks);
    const std::vector<EvaluatedDetection> detections = evaluated_detections(found, model.config());
    const int64_t id = dataset.image(index).id;
    boxes.add(id, truths, detections);
    masks.add(id, truths, detections);
  };
  DetectDatasetRun run = detect_dataset(model, dataset,
                                        {.batch = options.batch,
                                         .max_images = options.max_images,
                                         .stop_requested = options.stop_requested,
                                         .progress = options.progress,
                                         .take_behind = options.take_behind},
                                        take);
  ModelEvaluation result;
  result.images = run.images;
  result.skipped = std::move(run.skipped);
  result.complete = run.complete;
  result.parts = {evaluated_part(IouKind::kBox, boxes), evaluated_part(IouKind::kMask, masks)};
  result.box = summarize(CocoCurves(result.parts[0].matches));
  result.mask = summarize(CocoCurves(result.parts[1].matches));
  return result;
}

}  // namespace mrcnn
