// A sequence of device work recorded once and replayed with a single launch (a CUDA graph).
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/device.h"
#include "core/device_memory.h"

namespace mrcnn {

class CapturedGraph {
 public:
  // `arena` must outlive the graph; graphs that are never replayed at the same time may share it.
  CapturedGraph(Device device, MemoryArena& arena);
  ~CapturedGraph();
  CapturedGraph(CapturedGraph&&) noexcept;
  CapturedGraph& operator=(CapturedGraph&&) noexcept;

  // Runs body() once for real, which makes plans and fills the arena, then records a second run.
  // The result is that of the recorded run: its tensors hold the outputs of every replay. What
  // body reads must stay where it is. Throws CudaError if body waits for the device.
  // Device work that body does once only (making plans) belongs to the first run.
  template <typename Body>
  auto capture(Body&& body) {
    warm_up([&] { body(); });
    std::optional<decltype(body())> result;
    record([&] { result.emplace(body()); });
    return std::move(*result);
  }

  void replay() const;        // queues; does not wait
  int64_t num_nodes() const;  // kernels, copies and fills in the recording

 private:
  void warm_up(const std::function<void()>& body);
  void record(const std::function<void()>& body);

  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mrcnn
