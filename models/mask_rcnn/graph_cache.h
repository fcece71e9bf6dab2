// Detection on a GPU with the three stages recorded as graphs, one set per padded size and number
// of images, and replayed for every further batch of that size.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <tuple>

#include "core/device_memory.h"
#include "core/graph.h"
#include "kernels/detection/rpn_proposals.h"
#include "models/mask_rcnn/batch.h"

namespace mrcnn {

// The stages as functions of what came before.
struct GraphStages {
  std::function<Features(const ImageBatch&)> features;
  std::function<Proposals(const Features&, const ImageBatch&)> propose;
  std::function<DetectionBatch(const Features&, const Proposals&, const ImageBatch&)> detect;
};

class StageGraphs {
 public:
  // Runs and records the stages. `batch` is copied; its tensors are what replays read.
  StageGraphs(Device device, MemoryArena& arena, const ImageBatch& batch,
              const GraphStages& stages);

  // Queues the three graphs, one after the other, for what lies in batch() then.
  // stage_ended(name) is called after each: "features", "propose", "heads".
  const DetectionBatch& replay(const std::function<void(const char*)>& stage_ended) const;

  ImageBatch& batch() { return batch_; }
  int64_t num_nodes() const;

 private:
  ImageBatch batch_;
  CapturedGraph features_graph_;
  CapturedGraph propose_graph_;
  CapturedGraph detect_graph_;
  Features features_;
  Proposals proposals_;
  DetectionBatch detections_;
};

// Keeps the sets of the sizes seen last. Not thread safe.
class GraphCache {
 public:
  GraphCache(Device device, GraphStages stages);

  using Key = std::tuple<int64_t, int64_t, int64_t>;  // images, padded height, padded width

  // The set for a size, if it was made; moves it to the front.
  StageGraphs* find(const Key& key);
  // Whether this size was asked for before: graphs pay from the second batch of a size on.
  bool seen_before(const Key& key);
  StageGraphs& make(const Key& key, const ImageBatch& batch);

  int64_t bytes() const { return arena_.bytes(); }  // of intermediate results and outputs

 private:
  // A photo collection has some twenty padded sizes; the outputs of one take up to 100 MB.
  static constexpr size_t kCapacity = 16;

  Device device_;
  GraphStages stages_;
  MemoryArena arena_;  // shared: the graphs are replayed one after the other
  std::map<Key, int64_t> seen_;
  std::list<std::pair<Key, std::unique_ptr<StageGraphs>>> entries_;
};

}  // namespace mrcnn
