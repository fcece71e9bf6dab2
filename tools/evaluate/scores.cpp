#include "tools/evaluate/scores.h"

namespace mrcnn {
namespace {

Scores scores_of_part(const Dataset& dataset, const Evaluators::Part& part,
                      const ScoreOptions& options) {
  const MatchTable matches = part.coco->matches();
  const CocoCurves curves(matches);
  const CocoSummary summary = summarize(curves, options.sum);
  Scores scores{
      .type = std::string(iou_type_name(part.kind)), .values = summary.values, .classes = {}};
  // The classes of the data set, of the curves and of the matches all ascend by label.
  for (size_t k = 0; k < dataset.classes().size(); ++k) {
    const DatasetClass& one = dataset.classes()[k];
    scores.classes.push_back({.category_id = one.category_id,
                              .name = one.name,
                              .num_truths = curves.num_truths(k, 0),
                              .num_detections = curves.num_detections(k),
                              .values = summary.classes.at(one.label)});
  }
  if (options.resampling) {
    const ResampledSummary resampled = resample(matches, *options.resampling);
    scores.intervals = resampled.values;
    for (size_t k = 0; k < scores.classes.size(); ++k) {
      scores.classes[k].ap_interval = resampled.class_ap[k];
    }
  }
  if (part.voc) {
    const VocSummary voc = part.voc->summary();
    scores.voc = voc.mean;
    for (size_t k = 0; k < scores.classes.size(); ++k) {
      scores.classes[k].voc = voc.classes.at(dataset.classes()[k].label);
    }
  }
  return scores;
}

}  // namespace

std::vector<Scores> scores_of(const Dataset& dataset, const Evaluators& evaluators,
                              const ScoreOptions& options) {
  std::vector<Scores> scores;
  for (const Evaluators::Part& part : evaluators.parts()) {
    scores.push_back(scores_of_part(dataset, part, options));
  }
  return scores;
}

}  // namespace mrcnn
