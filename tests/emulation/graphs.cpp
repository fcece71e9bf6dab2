// Stream capture and graphs. A graph keeps the order that streams and events gave its nodes and
// nothing more: a replay takes any order that fits, chosen by the seed.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "tests/emulation/emulated_cuda.h"
#include "tests/emulation/engine.h"
#include "tests/emulation/report.h"
#include "tests/emulation/streams.h"

namespace emu {
namespace {

// Does a capture forbid this thread to wait or to allocate?
bool forbids(const Capture& capture) {
  if (capture.mode == cudaStreamCaptureModeRelaxed) return false;
  return capture.mode == cudaStreamCaptureModeGlobal ||
         capture.thread == std::this_thread::get_id();
}

// Every node that is in the frontier or before a node of it.
std::vector<bool> reached_from(const CUgraph_st& graph, const std::vector<size_t>& frontier) {
  std::vector<bool> reached(graph.nodes.size(), false);
  for (const size_t node : frontier) reached[node] = true;
  for (size_t node = graph.nodes.size(); node-- > 0;) {
    if (!reached[node]) continue;
    for (const size_t earlier : graph.nodes[node].after) reached[earlier] = true;
  }
  return reached;
}

// An order of the nodes in which each comes after those it waits for.
std::vector<size_t> replay_order(const std::vector<CUgraphNode_st>& nodes) {
  std::vector<size_t> order;
  std::vector<bool> placed(nodes.size(), false);
  while (order.size() < nodes.size()) {
    std::vector<size_t> ready;
    for (size_t node = 0; node < nodes.size(); ++node) {
      const auto& after = nodes[node].after;
      const auto is_placed = [&](size_t earlier) { return placed[earlier]; };
      if (placed[node] || !std::all_of(after.begin(), after.end(), is_placed)) continue;
      ready.push_back(node);
      if (options().seed < 2 || ready.size() > 1) break;  // a choice of two is enough
    }
    const size_t choice = ready.size() > 1 ? next_random() % ready.size() : 0;
    placed[ready[choice]] = true;
    order.push_back(ready[choice]);
  }
  return order;
}

}  // namespace

void capture_work(CUstream_st& stream, Work work) {
  auto& nodes = stream.capture->graph->nodes;
  nodes.push_back({std::move(work), std::exchange(stream.frontier, {nodes.size()})});
}

cudaError_t refuse_on_capturing(CUstream_st& stream, const char* call) {
  stream.capture->broken = true;
  return refuse(cudaErrorStreamCaptureUnsupported, std::string(call) + " on a capturing stream");
}

cudaError_t refuse_in_capture(const char* call) {
  for (const auto& stream : all_streams()) {
    if (!stream->capture || !forbids(*stream->capture)) continue;
    stream->capture->broken = true;
    return refuse(cudaErrorStreamCaptureUnsupported, std::string(call) + " during a capture");
  }
  return cudaSuccess;
}

}  // namespace emu

using emu::finish;
using emu::Locked;
using emu::refuse;

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  const Locked lock;
  if (emu::fault_code() != cudaSuccess) return finish();
  const std::shared_ptr<CUstream_st> stream = emu::find_stream(handle);
  if (!stream) return refuse(cudaErrorInvalidResourceHandle, "cudaStreamBeginCapture: no stream");
  if (handle == nullptr) {
    return refuse(cudaErrorStreamCaptureUnsupported, "capture of the legacy stream");
  }
  if (stream->capture) return refuse(cudaErrorIllegalState, "the stream is capturing already");
  static unsigned long long captures = 0;
  stream->capture = std::make_shared<emu::Capture>();
  stream->capture->origin = stream.get();
  stream->capture->mode = mode;
  stream->capture->thread = std::this_thread::get_id();
  stream->capture->id = ++captures;
  stream->frontier.clear();
  return finish();
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  const Locked lock;
  *graph = nullptr;
  const std::shared_ptr<CUstream_st> stream = emu::find_stream(handle);
  if (!stream || !stream->capture) {
    return refuse(cudaErrorIllegalState, "cudaStreamEndCapture of a stream that does not capture");
  }
  const std::shared_ptr<emu::Capture> capture = stream->capture;
  if (capture->origin != stream.get()) {
    capture->broken = true;
    return refuse(cudaErrorStreamCaptureUnmatched, "cudaStreamEndCapture of a joined stream");
  }
  const std::vector<bool> reached = emu::reached_from(*capture->graph, stream->frontier);
  for (const auto& other : emu::all_streams()) {
    if (other->capture != capture) continue;
    other->capture.reset();
    other->frontier.clear();
  }
  if (capture->broken) {
    return refuse(cudaErrorStreamCaptureInvalidated, "the capture was broken before its end");
  }
  if (std::find(reached.begin(), reached.end(), false) != reached.end()) {
    return refuse(cudaErrorStreamCaptureUnjoined, "another stream joined and did not come back");
  }
  *graph = capture->graph.release();
  return finish();
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t handle, cudaStreamCaptureStatus* status,
                                     unsigned long long* id) {
  const Locked lock;
  const std::shared_ptr<CUstream_st> stream = emu::find_stream(handle);
  if (!stream) return refuse(cudaErrorInvalidResourceHandle, "cudaStreamGetCaptureInfo: no stream");
  if (!stream->capture) {
    *status = cudaStreamCaptureStatusNone;
    return finish();
  }
  *status =
      stream->capture->broken ? cudaStreamCaptureStatusInvalidated : cudaStreamCaptureStatusActive;
  if (id != nullptr) *id = stream->capture->id;
  return finish();
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return cudaStreamGetCaptureInfo(stream, status, nullptr);
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  const Locked lock;
  const size_t available = graph->nodes.size();
  if (nodes == nullptr) {
    *count = available;
    return finish();
  }
  *count = std::min(*count, available);
  for (size_t i = 0; i < *count; ++i) nodes[i] = &graph->nodes[i];
  return finish();
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  const Locked lock;
  *exec = std::make_unique<CUgraphExec_st>(graph->nodes).release();
  return finish();
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return finish(); }

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const Locked lock;
  for (const size_t node : emu::replay_order(exec->nodes)) {
    const cudaError_t status = emu::enqueue(stream, "cudaGraphLaunch", exec->nodes[node].work);
    if (status != cudaSuccess) return status;
  }
  return finish();
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const Locked lock;
  const std::unique_ptr<CUgraph_st> owned(graph);
  return finish();
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const Locked lock;
  const std::unique_ptr<CUgraphExec_st> owned(exec);
  return finish();
}
