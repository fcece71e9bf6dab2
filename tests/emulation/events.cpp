#include <chrono>
#include <memory>
#include <utility>

#include "tests/emulation/report.h"
#include "tests/emulation/streams.h"

// What one cudaEventRecord marked. A wait keeps the record it saw: recording again or destroying
// the event changes nothing for it.
struct EventRecord {
  std::shared_ptr<CUstream_st> stream;
  uint64_t at = 0;
  double milliseconds = 0;
  std::shared_ptr<emu::Capture> capture;
  std::vector<size_t> frontier;
};
struct CUevent_st {
  bool timed;
  std::shared_ptr<EventRecord> record;
};

namespace emu {
namespace {

double now_in_milliseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

}  // namespace
}  // namespace emu

using emu::finish;
using emu::Locked;
using emu::refuse;

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const Locked lock;
  if (emu::fault_code() != cudaSuccess) return finish();
  *event = std::make_unique<CUevent_st>((flags & cudaEventDisableTiming) == 0).release();
  return finish();
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const Locked lock;
  const std::unique_ptr<CUevent_st> owned(event);
  return finish();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  const Locked lock;
  auto record = std::make_shared<EventRecord>();
  const std::shared_ptr<CUstream_st> stream = emu::find_stream(handle);
  if (!stream) return refuse(cudaErrorInvalidResourceHandle, "cudaEventRecord: no stream");
  if (stream->capture && !stream->capture->broken) {  // becomes an edge of the graph, no node
    record->capture = stream->capture;
    record->frontier = stream->frontier;
    event->record = std::move(record);
    return finish();
  }
  const cudaError_t status = emu::enqueue(
      handle, "cudaEventRecord", {[record] { record->milliseconds = emu::now_in_milliseconds(); }});
  if (status != cudaSuccess) return status;
  record->stream = stream;
  record->at = stream->queued;
  event->record = std::move(record);
  return status;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
  const Locked lock;
  const std::shared_ptr<EventRecord> record = event->record;
  if (!record) return finish();
  const std::shared_ptr<CUstream_st> stream = emu::find_stream(handle);
  if (!stream) return refuse(cudaErrorInvalidResourceHandle, "cudaStreamWaitEvent: no stream");
  if (record->capture) {  // the stream joins the capture
    if (stream->capture && stream->capture != record->capture) {
      record->capture->broken = stream->capture->broken = true;
      return refuse(cudaErrorStreamCaptureIsolation, "cudaStreamWaitEvent joins two captures");
    }
    stream->capture = record->capture;
    stream->frontier.insert(stream->frontier.end(), record->frontier.begin(),
                            record->frontier.end());
    return finish();
  }
  if (stream->capture) {
    stream->capture->broken = true;
    return refuse(cudaErrorStreamCaptureIsolation,
                  "cudaStreamWaitEvent in a capture for an event from outside of it");
  }
  return emu::enqueue(handle, "cudaStreamWaitEvent",
                      {[record] { emu::run_until(*record->stream, record->at); }});
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Locked lock;
  const std::shared_ptr<EventRecord> record = event->record;
  if (!record) return finish();
  if (record->capture) return refuse(cudaErrorCapturedEvent, "cudaEventSynchronize");
  const cudaError_t refused = emu::refuse_in_capture("cudaEventSynchronize");
  if (refused != cudaSuccess) return refused;
  emu::run_until(*record->stream, record->at);
  return finish();
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  const Locked lock;
  const std::shared_ptr<EventRecord> record = event->record;
  if (!record) return finish();
  if (record->capture) return refuse(cudaErrorCapturedEvent, "cudaEventQuery");
  if (record->stream->done < record->at && !record->stream->busy) emu::run_one(*record->stream);
  const cudaError_t status = finish();
  const bool is_done = record->stream->done >= record->at;
  return status == cudaSuccess && !is_done ? cudaErrorNotReady : status;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  const Locked lock;
  if (!start->timed || !end->timed || !start->record || !end->record) {
    return refuse(cudaErrorInvalidResourceHandle, "cudaEventElapsedTime: event without time");
  }
  for (const cudaEvent_t event : {start, end}) {
    if (event->record->capture) return refuse(cudaErrorCapturedEvent, "cudaEventElapsedTime");
    if (event->record->stream->done < event->record->at) return cudaErrorNotReady;
  }
  *milliseconds = static_cast<float>(end->record->milliseconds - start->record->milliseconds);
  return finish();
}
