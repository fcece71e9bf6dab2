// Streams as queues that run only when something waits for them, and the captures they may be in.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/emulation/include/cuda_runtime_api.h"

namespace emu {

struct Work {
  std::function<void()> run;
  bool even_after_fault = false;  // giving memory back
};

}  // namespace emu

struct CUgraphNode_st {
  emu::Work work;
  std::vector<size_t> after;  // nodes that come before this one
};
struct CUgraph_st {
  std::vector<CUgraphNode_st> nodes;
};
struct CUgraphExec_st {
  std::vector<CUgraphNode_st> nodes;
};

namespace emu {

struct Capture {
  std::unique_ptr<CUgraph_st> graph = std::make_unique<CUgraph_st>();
  CUstream_st* origin = nullptr;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id thread;
  bool broken = false;
  unsigned long long id = 0;
};

}  // namespace emu

struct CUstream_st {
  bool blocking = true;  // ordered with the legacy stream
  std::deque<emu::Work> queue;
  uint64_t queued = 0, done = 0;
  bool busy = false;  // one of its works runs
  std::shared_ptr<emu::Capture> capture;
  std::vector<size_t> frontier;  // nodes that the next captured work comes after
};

namespace emu {

// One host thread at a time inside the runtime; work may call back into it.
class Locked {
 public:
  Locked();
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  std::unique_lock<std::recursive_mutex> lock_;
};

// The stream of a handle, where null is the legacy stream; null if there is no such stream.
std::shared_ptr<CUstream_st> find_stream(cudaStream_t handle);
const std::vector<std::shared_ptr<CUstream_st>>& all_streams();

// Queues or captures the work. `name` appears in errors.
cudaError_t enqueue(cudaStream_t stream, const char* name, Work work);
void run_until(CUstream_st& stream, uint64_t count);
void run_one(CUstream_st& stream);
void run_everything();

// Refuses a call that would wait or allocate while a capture forbids it, and breaks that capture.
cudaError_t refuse_in_capture(const char* call);
// The same for calls on one stream.
cudaError_t refuse_on_capturing(CUstream_st& stream, const char* call);
// Adds a node behind the stream's frontier.
void capture_work(CUstream_st& stream, Work work);

}  // namespace emu
