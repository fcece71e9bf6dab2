#include "core/graph.h"

#include <utility>

#include "core/cuda/context.h"
#include "core/cuda/handles.h"
#include "core/error.h"
#include "core/stream.h"

namespace mrcnn {

class CapturedGraph::Impl {
 public:
  Impl(Device device, MemoryArena& arena) : device_(device), arena_(&arena) {}
  ~Impl() {
    if (executable_ != nullptr) cudaGraphExecDestroy(executable_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void warm_up(const std::function<void()>& body) {
    const MemoryArena::Scope scope(*arena_);
    body();
  }

  void record(const std::function<void()>& body) {
    const MemoryArena::Scope scope(*arena_);
    const Stream stream = device_stream(device_);
    // Thread local: other threads may allocate meanwhile.
    MRCNN_CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    cudaGraph_t graph = nullptr;
    try {
      body();
    } catch (...) {
      static_cast<void>(cudaStreamEndCapture(stream, &graph));
      if (graph != nullptr) cudaGraphDestroy(graph);
      static_cast<void>(cudaGetLastError());
      throw;
    }
    MRCNN_CUDA_CHECK(cudaStreamEndCapture(stream, &graph));
    size_t nodes = 0;
    cudaError_t status = cudaGraphGetNodes(graph, nullptr, &nodes);
    if (status == cudaSuccess) status = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    MRCNN_CUDA_CHECK(status);
    nodes_ = static_cast<int64_t>(nodes);
  }

  void replay() const {
    if (executable_ == nullptr) throw CudaError("[graph] nothing was captured");
    MRCNN_CUDA_CHECK(cudaGraphLaunch(executable_, device_stream(device_)));
    cuda::count_graph_launch();
  }

  int64_t num_nodes() const { return nodes_; }

 private:
  Device device_;
  MemoryArena* arena_;
  cudaGraphExec_t executable_ = nullptr;
  int64_t nodes_ = 0;
};

CapturedGraph::CapturedGraph(Device device, MemoryArena& arena)
    : impl_(std::make_unique<Impl>(device, arena)) {}
CapturedGraph::~CapturedGraph() = default;
CapturedGraph::CapturedGraph(CapturedGraph&&) noexcept = default;
CapturedGraph& CapturedGraph::operator=(CapturedGraph&&) noexcept = default;

void CapturedGraph::warm_up(const std::function<void()>& body) { impl_->warm_up(body); }
void CapturedGraph::record(const std::function<void()>& body) { impl_->record(body); }
void CapturedGraph::replay() const { impl_->replay(); }
int64_t CapturedGraph::num_nodes() const { return impl_->num_nodes(); }

}  // namespace mrcnn
