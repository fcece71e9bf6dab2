// Running GPU work from a captured graph, to show that an op can be captured.
#pragma once

#include "core/device.h"
#include "core/device_memory.h"
#include "core/graph.h"
#include "core/primitives.h"
#include "core/tensor.h"

namespace mrcnn::test {

// Captures body, which returns a tensor, wipes what the capture left there, and returns what one
// replay writes. Waiting for the device inside body is an error.
template <typename Body>
Tensor replayed(Device device, Body&& body) {
  MemoryArena arena(device);
  CapturedGraph graph(device, arena);
  const Tensor result = graph.capture(body);
  fill_(result, 0);
  graph.replay();
  return copy_to(result, Device{});
}

}  // namespace mrcnn::test
