// The host side: errors, memory, streams as queues, events, graphs.
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "internal.h"

using Work = std::function<void()>;
struct Graph {
  std::vector<Work> work;
};
struct CUgraph_st : Graph {};
struct CUgraphExec_st : Graph {};
struct CUstream_st {
  std::deque<Work> queue;
  uint64_t queued = 0, done = 0;
  CUgraph_st* capture = nullptr;
  bool broken = false, busy = false;
};
struct CUevent_st {
  CUstream_st* stream = nullptr;
  uint64_t at = 0;
  double time = 0;
};
using Stream = CUstream_st;
namespace emu {
namespace {
cudaError_t sticky = cudaSuccess, last = cudaSuccess;
std::string text;
std::vector<Stream*> streams;
std::map<const void*, int> max_shared;
double now() {
  return std::chrono::duration<double, std::milli>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
cudaError_t ret(cudaError_t e) {
  if (sticky) e = sticky;
  if (e) last = e;
  return e;
}
void step(Stream& s) {
  Work w = std::move(s.queue.front());
  s.queue.pop_front();
  s.busy = true;  // a wait inside w must not run what comes after it
  if (!sticky) w();
  s.busy = false;
  s.done++;
}
void run_until(Stream& s, uint64_t n) {
  while (s.done < n) {
    if (options().seed >= 2 && next_random() % 4 == 0) {  // streams have no order among each other
      Stream* o = streams[next_random() % streams.size()];
      if (o != &s && !o->busy && !o->queue.empty()) {
        step(*o);
        continue;
      }
    }
    step(s);
  }
}
void run_all() {
  for (size_t i = 0; i < streams.size(); ++i) run_until(*streams[i], streams[i]->queued);
}
bool capturing() {
  for (auto* s : streams)
    if (s->capture) return true;
  return false;
}
cudaError_t enqueue(Stream* s, Work w) {
  if (sticky) return ret(sticky);
  if (!s) {
    if (capturing()) return ret(cudaErrorStreamCaptureUnsupported);
    run_all();
    w();
  } else if (s->capture) {
    s->capture->work.push_back(std::move(w));
  } else {
    s->queue.push_back(std::move(w));
    s->queued++;
    if (!options().lazy_streams) run_until(*s, s->queued);
  }
  return ret(cudaSuccess);
}
cudaError_t sync(Stream* s) {
  if (capturing()) {  // illegal while capturing, as on the device
    for (auto* c : streams) c->broken |= c->capture != nullptr;
    return ret(cudaErrorStreamCaptureUnsupported);
  }
  if (s)
    run_until(*s, s->queued);
  else
    run_all();
  return ret(cudaSuccess);
}
void copy(void* d, const void* s, size_t n, cudaMemcpyKind k) {
  const char* bad = k == cudaMemcpyDeviceToHost || k == cudaMemcpyDeviceToDevice
                        ? describe_device_range(s, n)
                        : nullptr;
  if (!bad && (k == cudaMemcpyHostToDevice || k == cudaMemcpyDeviceToDevice))
    bad = describe_device_range(d, n);
  if (bad)
    return fail(std::string("cudaMemcpy of ") + std::to_string(n) + " bytes: " + bad,
                cudaErrorInvalidValue);
  std::memmove(d, s, n);
  check_host_write(d, n);
}
}  // namespace
Options& options() {
  static Options o;
  return o;
}
Stats& stats() {
  static Stats s;
  return s;
}
const std::string& report() { return text; }
void reset() {
  sticky = last = cudaSuccess;
  text.clear();
}
void fail(const std::string& t, cudaError_t code) {
  if (!sticky) text = "emulated CUDA: " + t, sticky = last = code;
}
cudaError_t set_max_dynamic_shared(const void* k, int n) {
  max_shared[k] = n;
  return ret(n <= 227 * 1024 ? cudaSuccess : cudaErrorInvalidValue);
}
cudaError_t enqueue_kernel(const cudaLaunchConfig_t& c, const void* kernel, void (*call)(void*),
                           void (*destroy)(void*), void* args, size_t) {
  std::shared_ptr<void> own(args, destroy);
  auto b = c.blockDim, g = c.gridDim;
  uint64_t n = uint64_t(b.x) * b.y * b.z;
  auto limit = max_shared.find(kernel);
  size_t allowed = limit == max_shared.end() ? 48 * 1024 : size_t(limit->second);
  if (n == 0 || n > 1024 || b.z > 64 || !g.x || !g.y || !g.z || g.x > 0x7fffffffu || g.y > 65535 ||
      g.z > 65535)
    return ret(cudaErrorInvalidConfiguration);
  if (c.dynamicSmemBytes > allowed) return ret(cudaErrorInvalidValue);
  return enqueue(c.stream, [=] { run_launch(c, kernel, call, own.get()); });
}
cudaError_t copy_to_symbol(void* symbol, const void* p, size_t n) {
  std::memcpy(symbol, p, n);
  return cudaSuccess;
}
cudaError_t max_active_blocks(int* b, int threads, size_t) {
  *b = std::max(1, 2048 / std::max(1, threads));
  return cudaSuccess;
}
cudaError_t enqueue_host_work(cudaStream_t s, const char*, std::function<void()> w) {
  return enqueue(s, [w = std::move(w)] {
    w();
    stats().launches++;
    stats().host_works++;
  });
}
size_t live_allocations() { return live_blocks(); }
}  // namespace emu
using namespace emu;

const char* cudaGetErrorName(cudaError_t e) {
  return e == cudaSuccess                     ? "cudaSuccess"
         : e == cudaErrorInvalidConfiguration ? "cudaErrorInvalidConfiguration"
         : e == cudaErrorLaunchFailure        ? "cudaErrorLaunchFailure"
                                              : "cudaError";
}
const char* cudaGetErrorString(cudaError_t e) {
  return e && e == sticky ? text.c_str() : cudaGetErrorName(e);
}
cudaError_t cudaGetLastError() {
  auto e = last;
  last = sticky;
  return e;
}
cudaError_t cudaPeekAtLastError() { return last; }
cudaError_t cudaGetDeviceCount(int* n) {
  *n = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* d) {
  *d = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int d) { return d ? cudaErrorInvalidValue : cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  *p = {"emulated", size_t(8) << 30, 48 << 10, 227 << 10, 228 << 10, 9, 0, 4, 32, 1024,
        2048,       50 << 20,        65536,    5120,      0,         0, 0};
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() { return sync(nullptr); }
cudaError_t cudaStreamSynchronize(cudaStream_t s) { return sync(s); }
cudaError_t cudaMallocAsync(void** p, size_t n, cudaStream_t s) {
  if (s && s->capture) return s->broken = true, ret(cudaErrorStreamCaptureUnsupported);
  *p = n ? device_alloc(n) : nullptr;
  return ret(n && !*p ? cudaErrorMemoryAllocation : cudaSuccess);
}
cudaError_t cudaMalloc(void** p, size_t n) {
  return capturing() ? ret(cudaErrorStreamCaptureUnsupported) : cudaMallocAsync(p, n, nullptr);
}
cudaError_t cudaFreeAsync(void* p, cudaStream_t s) {
  return enqueue(s, [p] {
    if (p && !device_free(p))
      fail("cudaFree of a pointer that is not a live allocation", cudaErrorInvalidValue);
  });
}
cudaError_t cudaFree(void* p) { return cudaFreeAsync(p, nullptr); }
cudaError_t cudaMallocHost(void** p, size_t n) {
  *p = malloc(n);
  std::memset(*p, kPoison, n);
  pinned(*p, n, true);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* p) {
  pinned(p, 0, false);
  free(p);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* d, const void* s, size_t n, cudaMemcpyKind k, cudaStream_t st) {
  return enqueue(st, [=] { copy(d, s, n, k); });
}
cudaError_t cudaMemcpy2DAsync(void* d, size_t dp, const void* s, size_t sp, size_t w, size_t h,
                              cudaMemcpyKind k, cudaStream_t st) {
  return enqueue(st, [=] {
    for (size_t i = 0; i < h; ++i)
      copy(static_cast<char*>(d) + i * dp, static_cast<const char*>(s) + i * sp, w, k);
  });
}
cudaError_t cudaMemcpy(void* d, const void* s, size_t n, cudaMemcpyKind k) {
  return cudaMemcpyAsync(d, s, n, k, nullptr);
}
cudaError_t cudaMemsetAsync(void* p, int v, size_t n, cudaStream_t st) {
  return enqueue(st, [=] {
    if (const char* bad = describe_device_range(p, n))
      return fail(std::string("cudaMemset of ") + std::to_string(n) + " bytes: " + bad,
                  cudaErrorInvalidValue);
    std::memset(p, v, n);
    check_host_write(p, n);
  });
}
cudaError_t cudaMemset(void* p, int v, size_t n) { return cudaMemsetAsync(p, v, n, nullptr); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned) {
  streams.push_back(*s = new CUstream_st);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t s) {
  run_until(*s, s->queued);
  std::erase(streams, s);
  delete s;
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) {
  *e = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  delete e;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) {
  e->stream = s;
  auto r = enqueue(s, [e] { e->time = now(); });
  if (s) e->at = s->queued;
  return r;
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) {
  if (e->stream) run_until(*e->stream, e->at);
  return ret(cudaSuccess);
}
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b) {
  *ms = float(b->time - a->time);
  return ret(cudaSuccess);
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
  return enqueue(s, [other = e->stream, at = e->at] {
    if (other) run_until(*other, at);
  });
}
cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode) {
  s->capture = new CUgraph_st;
  s->broken = false;
  return ret(cudaSuccess);
}
cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t* g) {
  *g = s->capture;
  s->capture = nullptr;
  if (!s->broken) return ret(cudaSuccess);
  delete *g;
  *g = nullptr;
  return ret(cudaErrorStreamCaptureInvalidated);
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* x, cudaGraph_t g, unsigned long long) {
  *x = new CUgraphExec_st{{g->work}};
  return ret(cudaSuccess);
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t x, cudaStream_t s) {
  for (auto& w : x->work)
    if (auto e = enqueue(s, w)) return e;
  return ret(cudaSuccess);
}
cudaError_t cudaGraphDestroy(cudaGraph_t g) {
  delete g;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t x) {
  delete x;
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t g, cudaGraphNode_t*, size_t* n) {
  *n = g->work.size();
  return cudaSuccess;
}
cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamIsCapturing(cudaStream_t s, cudaStreamCaptureStatus* st) {
  *st = !s || !s->capture ? cudaStreamCaptureStatusNone
        : s->broken       ? cudaStreamCaptureStatusInvalidated
                          : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}
cudaError_t cudaStreamGetCaptureInfo(cudaStream_t s, cudaStreamCaptureStatus* st,
                                     unsigned long long* id) {
  if (id) *id = 1;
  return cudaStreamIsCapturing(s, st);
}
cudaError_t cudaStreamQuery(cudaStream_t s) { return sync(s); }
cudaError_t cudaEventQuery(cudaEvent_t e) { return cudaEventSynchronize(e); }
cudaError_t cudaEventCreate(cudaEvent_t* e) { return cudaEventCreateWithFlags(e, 0); }
cudaError_t cudaStreamCreate(cudaStream_t* s) { return cudaStreamCreateWithFlags(s, 0); }
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* s, unsigned f, int) {
  return cudaStreamCreateWithFlags(s, f);
}
cudaError_t cudaLaunchHostFunc(cudaStream_t s, cudaHostFn_t f, void* d) {
  return enqueue(s, [=] { f(d); });
}
cudaError_t cudaHostAlloc(void** p, size_t n, unsigned) { return cudaMallocHost(p, n); }
cudaError_t cudaMemGetInfo(size_t* f, size_t* t) {
  *t = size_t(8) << 30;
  *f = *t;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* v) {
  *v = 13000;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* v) {
  *v = 13000;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* p, int) {
  *p = nullptr;
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr, void* v) {
  *static_cast<uint64_t*>(v) = 0;
  return cudaSuccess;
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) { return cudaSuccess; }
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* a, const void* p) {
  *a = {pointer_type(p), 0, const_cast<void*>(p), const_cast<void*>(p)};
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* v, cudaDeviceAttr a, int) {
  switch (a) {
    case cudaDevAttrMaxThreadsPerBlock:
      *v = 1024;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *v = 48 << 10;
      break;
    case cudaDevAttrWarpSize:
      *v = 32;
      break;
    case cudaDevAttrMultiProcessorCount:
      *v = 4;
      break;
    case cudaDevAttrL2CacheSize:
      *v = 50 << 20;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *v = 2048;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *v = 9;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *v = 0;
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *v = 228 << 10;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *v = 227 << 10;
      break;
    case cudaDevAttrMemoryPoolsSupported:
      *v = 1;
      break;
    default:
      return cudaErrorInvalidValue;
  }
  return cudaSuccess;
}
