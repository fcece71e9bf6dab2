// Streams run late and in any order that events allow; captures refuse what a GPU refuses.
#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <thread>
#include <vector>

#include "tests/emulation/emulated_cuda.h"
#include "tests/emulation/faults.h"
#include "tests/emulation/test_tools.h"

namespace emu::test {
namespace {

constexpr int kCount = 100;

class Stream {
 public:
  explicit Stream(unsigned flags = cudaStreamNonBlocking) {
    REQUIRE(cudaStreamCreateWithFlags(&handle_, flags) == cudaSuccess);
  }
  ~Stream() { cudaStreamDestroy(handle_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const { return handle_; }
  void wait() const { CHECK(cudaStreamSynchronize(handle_) == cudaSuccess); }

 private:
  cudaStream_t handle_ = nullptr;
};

class Event {
 public:
  Event() { REQUIRE(cudaEventCreateWithFlags(&handle_, cudaEventDisableTiming) == cudaSuccess); }
  ~Event() { cudaEventDestroy(handle_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  cudaEvent_t get() const { return handle_; }

 private:
  cudaEvent_t handle_ = nullptr;
};

class PinnedInt {
 public:
  PinnedInt() { REQUIRE(cudaMallocHost(&value_, sizeof(int)) == cudaSuccess); }
  ~PinnedInt() { cudaFreeHost(value_); }
  PinnedInt(const PinnedInt&) = delete;
  PinnedInt& operator=(const PinnedInt&) = delete;
  int* get() const { return value_; }

 private:
  int* value_ = nullptr;
};

void for_seeds(uint64_t count, const std::function<void(uint64_t)>& body) {
  for (uint64_t seed = 0; seed < count; ++seed) {
    CAPTURE(seed);
    reset();
    options().seed = seed;
    body(seed);
    CHECK(report() == "");
  }
  options().seed = 0;
}

}  // namespace

TEST_CASE("work of a stream runs late and in order") {
  for_seeds(4, [](uint64_t) {
    const Stream stream;
    const DeviceArray<int> values(std::vector<int>(kCount, 1));
    const PinnedInt result;
    *result.get() = -7;
    planted::add_one(values.data(), kCount, stream.get());
    planted::scale(values.data(), values.data(), 10, kCount, stream.get());
    cudaMemcpyAsync(result.get(), values.data() + 42, sizeof(int), cudaMemcpyDeviceToHost,
                    stream.get());
    CHECK(*result.get() == -7);
    stream.wait();
    CHECK(*result.get() == 20);
  });
}

TEST_CASE("streams without an event have no order") {
  std::set<int> seen;
  for_seeds(12, [&](uint64_t) {
    const Stream first, second;
    const DeviceArray<int> values(std::vector<int>(1, 1));
    // Correct programs never do this.
    for (int i = 0; i < 3; ++i) planted::add_one(values.data(), 1, first.get());
    planted::scale(values.data(), values.data(), 10, 1, second.get());
    first.wait();
    seen.insert(values.values()[0]);
  });
  CHECK(seen.size() > 1);
}

TEST_CASE("an event orders two streams") {
  for_seeds(8, [](uint64_t) {
    const Stream first, second;
    const Event event;
    const DeviceArray<int> from(std::vector<int>(kCount, 3)), to(kCount);
    planted::add_one(from.data(), kCount, first.get());
    cudaEventRecord(event.get(), first.get());
    cudaStreamWaitEvent(second.get(), event.get());
    planted::scale(from.data(), to.data(), 2, kCount, second.get());
    second.wait();
    CHECK(to.values() == std::vector<int>(kCount, 8));
  });
}

TEST_CASE("asking for an event ends, and times come in order") {
  const Stream stream;
  cudaEvent_t start = nullptr, end = nullptr;
  REQUIRE(cudaEventCreate(&start) == cudaSuccess);
  REQUIRE(cudaEventCreate(&end) == cudaSuccess);
  const DeviceArray<int> values(std::vector<int>(kCount, 3));
  cudaEventRecord(start, stream.get());
  planted::add_one(values.data(), kCount, stream.get());
  cudaEventRecord(end, stream.get());
  float milliseconds = -1.0f;
  CHECK(cudaEventElapsedTime(&milliseconds, start, end) == cudaErrorNotReady);
  int asked = 1;
  while (cudaEventQuery(end) == cudaErrorNotReady && asked < 100) ++asked;
  CHECK(asked > 1);
  CHECK(asked < 100);
  CHECK(cudaEventElapsedTime(&milliseconds, start, end) == cudaSuccess);
  CHECK(milliseconds >= 0.0f);
  cudaEventDestroy(start);
  cudaEventDestroy(end);
}

TEST_CASE("pageable memory is read during the call, page-locked memory late") {
  const Stream stream;
  const DeviceArray<int> values(2);
  int pageable = 5;
  const PinnedInt pinned;
  *pinned.get() = 5;
  cudaMemcpyAsync(values.data(), &pageable, sizeof(int), cudaMemcpyHostToDevice, stream.get());
  cudaMemcpyAsync(values.data() + 1, pinned.get(), sizeof(int), cudaMemcpyHostToDevice,
                  stream.get());
  pageable = *pinned.get() = 6;
  stream.wait();
  CHECK(values.values() == std::vector<int>{5, 6});
  CHECK(cudaMemcpy(values.data(), values.data() + 1, 4, cudaMemcpyHostToDevice) ==
        cudaErrorInvalidValue);
}

TEST_CASE("host work runs in stream order and may touch device memory") {
  const Stream stream;
  const DeviceArray<int> values(std::vector<int>(kCount, 1));
  const uint64_t launches = stats().launches;
  planted::add_one(values.data(), kCount, stream.get());
  int* const data = values.data();
  CHECK(enqueue_host_work(stream.get(), "times ten", [data] {
          for (int i = 0; i < kCount; ++i) data[i] *= 10;
        }) == cudaSuccess);
  planted::add_one(values.data(), kCount, stream.get());
  stream.wait();
  CHECK(values.values() == std::vector<int>(kCount, 21));
  CHECK(stats().launches == launches + 3);
}

TEST_CASE("what host work wrote counts as written") {
  const Stream stream;
  const DeviceArray<int> values(kCount), copy(kCount);
  int* const data = values.data();
  enqueue_host_work(stream.get(), "fill", [data] { std::fill(data, data + kCount, 4); });
  cudaMemcpyAsync(copy.data(), data, kCount * sizeof(int), cudaMemcpyDeviceToDevice, stream.get());
  planted::scale(copy.data(), values.data(), 2, kCount, stream.get());
  stream.wait();
  CHECK(values.values() == std::vector<int>(kCount, 8));
}

TEST_CASE("a graph replays kernels, copies, host work and the order of joined streams") {
  for_seeds(8, [](uint64_t) {
    const Stream stream, side;
    const Event fork, join;
    const DeviceArray<int> values(std::vector<int>(kCount, 1)), other(kCount);
    const PinnedInt result;
    int* const data = values.data();
    REQUIRE(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    planted::add_one(data, kCount, stream.get());
    cudaEventRecord(fork.get(), stream.get());
    cudaStreamWaitEvent(side.get(), fork.get());
    planted::scale(data, other.data(), 3, kCount, side.get());
    cudaEventRecord(join.get(), side.get());
    cudaStreamWaitEvent(stream.get(), join.get());
    enqueue_host_work(stream.get(), "add", [data, added = other.data()] { data[0] += added[0]; });
    cudaMemcpyAsync(result.get(), data, sizeof(int), cudaMemcpyDeviceToHost, stream.get());
    cudaGraph_t graph = nullptr;
    REQUIRE(cudaStreamEndCapture(stream.get(), &graph) == cudaSuccess);
    size_t nodes = 0;
    CHECK(cudaGraphGetNodes(graph, nullptr, &nodes) == cudaSuccess);
    CHECK(nodes == 4);
    CHECK(values.values()[0] == 1);  // nothing ran yet
    cudaGraphExec_t exec = nullptr;
    REQUIRE(cudaGraphInstantiate(&exec, graph) == cudaSuccess);
    cudaGraphDestroy(graph);
    CHECK(cudaGraphLaunch(exec, stream.get()) == cudaSuccess);
    stream.wait();
    CHECK(*result.get() == 8);  // 2 + 3 * 2
    CHECK(cudaGraphLaunch(exec, stream.get()) == cudaSuccess);
    stream.wait();
    CHECK(*result.get() == 36);  // 9 + 3 * 9
    cudaGraphExecDestroy(exec);
  });
}

TEST_CASE("a capture refuses what waits or allocates") {
  struct Call {
    const char* name;
    std::function<cudaError_t(cudaStream_t)> run;
  };
  void* memory = nullptr;
  char host = 0;
  const DeviceArray<char> device(1);
  const std::vector<Call> calls = {
      {"cudaStreamSynchronize", [](cudaStream_t s) { return cudaStreamSynchronize(s); }},
      {"cudaStreamQuery", [](cudaStream_t s) { return cudaStreamQuery(s); }},
      {"cudaDeviceSynchronize", [](cudaStream_t) { return cudaDeviceSynchronize(); }},
      {"cudaMalloc", [&](cudaStream_t) { return cudaMalloc(&memory, 16); }},
      {"cudaMallocAsync", [&](cudaStream_t s) { return cudaMallocAsync(&memory, 16, s); }},
      {"cudaMallocHost", [&](cudaStream_t) { return cudaMallocHost(&memory, 16); }},
      {"cudaFree", [&](cudaStream_t) { return cudaFree(device.data()); }},
      {"cudaMemcpy",
       [&](cudaStream_t) { return cudaMemcpy(device.data(), &host, 1, cudaMemcpyHostToDevice); }},
  };
  const Stream stream;
  for (const Call& call : calls) {
    CAPTURE(call.name);
    REQUIRE(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    CHECK(call.run(stream.get()) == cudaErrorStreamCaptureUnsupported);
    CHECK(contains(cudaGetErrorString(cudaGetLastError()), call.name));
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    cudaStreamIsCapturing(stream.get(), &status);
    CHECK(status == cudaStreamCaptureStatusInvalidated);
    CHECK(planted::empty_grid(stream.get()) == cudaErrorInvalidConfiguration);
    cudaGraph_t graph = nullptr;
    CHECK(cudaStreamEndCapture(stream.get(), &graph) == cudaErrorStreamCaptureInvalidated);
    CHECK(graph == nullptr);
  }
  CHECK(report().empty());
  // Another thread may go on allocating.
  REQUIRE(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  std::thread([] {
    const DeviceArray<int> values(std::vector<int>(kCount, 1));
    planted::add_one(values.data(), kCount, nullptr);
    CHECK(values.values()[0] == 2);
  }).join();
  cudaGraph_t graph = nullptr;
  CHECK(cudaStreamEndCapture(stream.get(), &graph) == cudaSuccess);
  cudaGraphDestroy(graph);
}

TEST_CASE("a stream that joined a capture must come back") {
  const Stream stream, side;
  const Event fork;
  const DeviceArray<int> values(std::vector<int>(kCount, 1));
  REQUIRE(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeGlobal) == cudaSuccess);
  cudaEventRecord(fork.get(), stream.get());
  cudaStreamWaitEvent(side.get(), fork.get());
  planted::add_one(values.data(), kCount, side.get());
  cudaGraph_t graph = nullptr;
  CHECK(cudaStreamEndCapture(stream.get(), &graph) == cudaErrorStreamCaptureUnjoined);
  CHECK(graph == nullptr);
}

TEST_CASE("several host threads share the device") {
  std::vector<std::thread> threads;
  std::vector<int> results(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t, &results] {
      const Stream stream;
      const DeviceArray<int> values(std::vector<int>(kCount, t));
      for (int i = 0; i < 20; ++i) planted::add_one(values.data(), kCount, stream.get());
      stream.wait();
      results[static_cast<size_t>(t)] = values.values()[7];
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(results == std::vector<int>{20, 21, 22, 23});
}

}  // namespace emu::test
