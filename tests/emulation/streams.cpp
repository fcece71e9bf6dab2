#include "tests/emulation/streams.h"

#include <algorithm>
#include <utility>

#include "tests/emulation/emulated_cuda.h"
#include "tests/emulation/engine.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/report.h"

namespace emu {
namespace {

std::vector<std::shared_ptr<CUstream_st>>& mutable_streams() {
  // The first one is the legacy stream.
  static auto* const streams = std::make_unique<std::vector<std::shared_ptr<CUstream_st>>>(
                                   1, std::make_shared<CUstream_st>())
                                   .release();
  return *streams;
}

// The legacy stream and blocking streams wait for each other; the work before runs at once.
void order_with_legacy(const std::shared_ptr<CUstream_st>& stream) {
  const std::shared_ptr<CUstream_st> legacy = all_streams().front();
  if (stream == legacy) {
    for (const auto& other : all_streams()) {
      if (other->blocking) run_until(*other, other->queued);
    }
  } else if (stream->blocking) {
    run_until(*legacy, legacy->queued);
  }
}

}  // namespace

Locked::Locked() {
  static auto* const mutex = std::make_unique<std::recursive_mutex>().release();
  lock_ = std::unique_lock(*mutex);
}

const std::vector<std::shared_ptr<CUstream_st>>& all_streams() { return mutable_streams(); }

std::shared_ptr<CUstream_st> find_stream(cudaStream_t handle) {
  if (handle == nullptr) return all_streams().front();
  const auto found = std::find_if(all_streams().begin(), all_streams().end(),
                                  [&](const auto& stream) { return stream.get() == handle; });
  return found == all_streams().end() ? nullptr : *found;
}

void run_one(CUstream_st& stream) {
  const DeviceAccess access;
  const Work work = std::move(stream.queue.front());
  stream.queue.pop_front();
  stream.busy = true;  // a wait inside the work must not run what comes after it
  if (fault_code() == cudaSuccess || work.even_after_fault) work.run();
  stream.busy = false;
  stream.done++;
}

void run_until(CUstream_st& stream, uint64_t count) {
  if (stream.done >= count) return;
  const DeviceAccess access;
  while (stream.done < count) {
    // Streams have no order among each other.
    if (options().seed >= 2 && next_random() % 4 == 0) {
      const std::shared_ptr<CUstream_st> other =
          all_streams()[next_random() % all_streams().size()];
      if (other.get() != &stream && !other->busy && !other->queue.empty()) {
        run_one(*other);
        continue;
      }
    }
    run_one(stream);
  }
}

void run_everything() {
  const std::vector<std::shared_ptr<CUstream_st>> streams = all_streams();
  for (const auto& stream : streams) run_until(*stream, stream->queued);
}

cudaError_t enqueue(cudaStream_t handle, const char* name, Work work) {
  if (fault_code() != cudaSuccess && !work.even_after_fault) return finish();
  const std::shared_ptr<CUstream_st> stream = find_stream(handle);
  if (!stream) return refuse(cudaErrorInvalidResourceHandle, std::string(name) + ": no stream");
  if (stream->capture) {
    if (stream->capture->broken) {
      return refuse(cudaErrorStreamCaptureInvalidated, std::string(name) + " in a broken capture");
    }
    capture_work(*stream, std::move(work));
    return finish();
  }
  if (handle == nullptr) {
    for (const auto& other : all_streams()) {
      if (!other->capture || !other->blocking) continue;
      other->capture->broken = true;
      return refuse(cudaErrorStreamCaptureImplicit,
                    std::string(name) + " on the legacy stream while a blocking stream captures");
    }
  }
  order_with_legacy(stream);
  stream->queue.push_back(std::move(work));
  stream->queued++;
  if (!options().lazy_streams) run_until(*stream, stream->queued);
  return finish();
}

cudaError_t enqueue_host_work(cudaStream_t stream, const char* name,
                              std::function<void()> function) {
  const Locked lock;
  return enqueue(stream, name, {[function = std::move(function)] {
                   function();
                   stats().launches++;
                   stats().host_works++;
                 }});
}

void reset() {
  const Locked lock;
  run_everything();  // after a fault only what gives memory back
  forget_fault();
  restart_random();
}

}  // namespace emu

using emu::finish;
using emu::Locked;
using emu::refuse;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const Locked lock;
  if (emu::fault_code() != cudaSuccess) return finish();
  emu::mutable_streams().push_back(std::make_shared<CUstream_st>());
  *stream = emu::all_streams().back().get();
  (*stream)->blocking = (flags & cudaStreamNonBlocking) == 0;
  return finish();
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  return cudaStreamCreateWithFlags(stream, flags);
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  const Locked lock;
  const std::shared_ptr<CUstream_st> stream = emu::find_stream(handle);
  if (handle == nullptr || !stream) {
    return refuse(cudaErrorInvalidResourceHandle, "cudaStreamDestroy: no stream");
  }
  emu::run_until(*stream, stream->queued);
  std::erase(emu::mutable_streams(), stream);
  return finish();
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  const Locked lock;
  const std::shared_ptr<CUstream_st> stream = emu::find_stream(handle);
  if (!stream) return refuse(cudaErrorInvalidResourceHandle, "cudaStreamSynchronize: no stream");
  if (stream->capture) return emu::refuse_on_capturing(*stream, "cudaStreamSynchronize");
  emu::run_until(*stream, stream->queued);
  return finish();
}

// Every question lets the stream go one step further, so that asking again and again ends.
cudaError_t cudaStreamQuery(cudaStream_t handle) {
  const Locked lock;
  const std::shared_ptr<CUstream_st> stream = emu::find_stream(handle);
  if (!stream) return refuse(cudaErrorInvalidResourceHandle, "cudaStreamQuery: no stream");
  if (stream->capture) return emu::refuse_on_capturing(*stream, "cudaStreamQuery");
  if (stream->queue.empty() || stream->busy) return finish();
  emu::run_one(*stream);
  const cudaError_t status = finish();
  return status == cudaSuccess && !stream->queue.empty() ? cudaErrorNotReady : status;
}

cudaError_t cudaDeviceSynchronize() {
  const Locked lock;
  const cudaError_t refused = emu::refuse_in_capture("cudaDeviceSynchronize");
  if (refused != cudaSuccess) return refused;
  emu::run_everything();
  return finish();
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  const Locked lock;
  return emu::enqueue(stream, "cudaLaunchHostFunc", {[function, data] {
                        const emu::HostOnly host_only;
                        function(data);
                      }});
}
