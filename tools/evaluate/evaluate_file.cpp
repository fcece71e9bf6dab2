#include "tools/evaluate/evaluate_file.h"

#include "core/parallel.h"

namespace mrcnn {
namespace {

constexpr int64_t kImagesAtOnce = 8;  // of a thread: enough to make taking them cheap

}  // namespace

void evaluate_file(const Dataset& dataset, const DetectionFile& file, Evaluators& evaluators) {
  const bool masks = evaluators.want_masks();
  const TruthParts truth_parts = masks ? TruthParts::kBoxesAndMasks : TruthParts::kBoxes;
  const DetectionParts parts = masks ? DetectionParts::kBoxesAndMasks : DetectionParts::kBoxes;
  parallel_for(0, dataset.size(), kImagesAtOnce, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      evaluators.add(dataset.image(index).id, dataset.truths(index, truth_parts),
                     file.detections(index, parts));
    }
  });
}

}  // namespace mrcnn
