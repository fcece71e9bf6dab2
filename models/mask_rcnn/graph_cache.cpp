#include "models/mask_rcnn/graph_cache.h"

#include <utility>

namespace mrcnn {

StageGraphs::StageGraphs(Device device, MemoryArena& arena, const ImageBatch& batch,
                         const GraphStages& stages)
    : batch_(batch),
      features_graph_(device, arena),
      propose_graph_(device, arena),
      detect_graph_(device, arena) {
  // A stage is recorded after the one before has run for real, so that it meets real values.
  features_ = features_graph_.capture([&] { return stages.features(batch_); });
  features_graph_.replay();
  proposals_ = propose_graph_.capture([&] { return stages.propose(features_, batch_); });
  propose_graph_.replay();
  detections_ = detect_graph_.capture([&] { return stages.detect(features_, proposals_, batch_); });
}

const DetectionBatch& StageGraphs::replay(
    const std::function<void(const char*)>& stage_ended) const {
  features_graph_.replay();
  stage_ended("features");
  propose_graph_.replay();
  stage_ended("propose");
  detect_graph_.replay();
  stage_ended("heads");
  return detections_;
}

int64_t StageGraphs::num_nodes() const {
  return features_graph_.num_nodes() + propose_graph_.num_nodes() + detect_graph_.num_nodes();
}

GraphCache::GraphCache(Device device, GraphStages stages)
    : device_(device), stages_(std::move(stages)), arena_(device) {}

StageGraphs* GraphCache::find(const Key& key) {
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->first != key) continue;
    entries_.splice(entries_.begin(), entries_, entry);
    return entries_.front().second.get();
  }
  return nullptr;
}

bool GraphCache::seen_before(const Key& key) { return seen_[key]++ > 0; }

StageGraphs& GraphCache::make(const Key& key, const ImageBatch& batch) {
  if (entries_.size() >= kCapacity) entries_.pop_back();
  entries_.emplace_front(key, std::make_unique<StageGraphs>(device_, arena_, batch, stages_));
  return *entries_.front().second;
}

}  // namespace mrcnn
