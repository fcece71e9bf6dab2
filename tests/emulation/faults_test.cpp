// Every planted fault is reported with kernel, block, thread and line, in the builds that can see
// it. Faults that end the program are planted in a child process, which runs one skipped case.
#include "tests/emulation/faults.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "tests/emulation/emulated_cuda.h"
#include "tests/emulation/test_tools.h"

namespace emu::test {
namespace {

#if defined(MRCNN_EMULATED_CHECK)
constexpr bool kHooks = true;
#else
constexpr bool kHooks = false;
#endif
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAsan = true;
#else
constexpr bool kAsan = false;
#endif

// "faults_cuda.cu:<line>" of the one line with this code.
std::string place_of(const std::string& code) {
  std::ifstream source(MRCNN_SOURCE_DIR "/tests/emulation/faults_cuda.cu");
  std::string place;
  int number = 0;
  for (std::string line; std::getline(source, line);) {
    ++number;
    if (!contains(line, code)) continue;
    REQUIRE_MESSAGE(place.empty(), code << " is there twice");
    place = "faults_cuda.cu:" + std::to_string(number);
  }
  REQUIRE_MESSAGE(!place.empty(), code << " is not there");
  return place;
}

void check_words(const std::string& text, const std::vector<std::string>& words) {
  for (const std::string& word : words) CHECK_MESSAGE(contains(text, word), word, " in ", text);
}

// `plant` makes the device report a fault with all of the words, whatever the seed.
void expect_report(const std::function<void()>& plant, const std::vector<std::string>& words) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    CAPTURE(seed);
    reset();
    options().seed = seed;
    plant();
    CHECK(cudaDeviceSynchronize() != cudaSuccess);
    check_words(report(), words);
    CHECK(cudaGetErrorString(cudaGetLastError()) == report());
  }
  reset();
  options().seed = 0;
}

// The skipped case ends its process, whose last words have all of these.
void expect_death(const std::string& test_case, const std::vector<std::string>& words) {
  char program[512] = {};
  REQUIRE(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
  const std::string command =
      std::string("'") + program + "' --no-skip --test-case='" + test_case + "' 2>&1";
  FILE* const output = popen(command.c_str(), "r");
  REQUIRE(output != nullptr);
  std::string text;
  for (char line[1024]; std::fgets(line, sizeof(line), output) != nullptr;) text += line;
  const int status = pclose(output);
  CHECK_MESSAGE(status != 0, text);
  CHECK_MESSAGE(!contains(text, "Status: SUCCESS"), text);
  check_words(text, words);
}

}  // namespace

TEST_CASE("a missing barrier") {
  const std::vector<float> values(256, 1.0f);
  if (kHooks) {
    expect_report(
        [&] {
          const DeviceArray<float> in(values), out(256);
          planted::missing_barrier(in.data(), out.data(), nullptr);
        },
        {"shared memory", "missing_barrier_kernel", "::tile", "block (0,0,0) thread (",
         place_of("tile[255 - threadIdx.x]")});
  } else {  // the result is wrong
    const DeviceArray<float> in(values), out(256);
    CHECK(planted::missing_barrier(in.data(), out.data(), nullptr) == cudaSuccess);
    CHECK(std::isnan(out.values()[0]));
  }
}

TEST_CASE("a missing warp barrier" * doctest::skip(!kHooks)) {
  expect_report(
      [] {
        const DeviceArray<float> in(std::vector<float>(32, 1.0f)), out(32);
        planted::missing_warp_barrier(in.data(), out.data(), nullptr);
      },
      {"race on shared memory", "missing_warp_barrier_kernel", "block (0,0,0) thread (",
       place_of("other + tile[threadIdx.x ^ 1]")});
  expect_report(
      [] {
        const DeviceArray<float> data(64);
        planted::missing_warp_barrier_in_device_memory(data.data(), nullptr);
      },
      {"race on device memory", "of an allocation of 256 bytes", "block (0,0,0) thread (",
       place_of("data[32 + threadIdx.x]")});
}

TEST_CASE("child: a write past the end" * doctest::skip()) {
  const DeviceArray<float> out(256);
  planted::write_past_end(out.data(), 256, nullptr);
  cudaDeviceSynchronize();
}
TEST_CASE("a write past the end") {
  const std::vector<std::string> words = {
      "byte 1024 of an allocation of 1024 bytes", "write_past_end_kernel<128>",
      "block (2,0,0) thread (0,0,0)", place_of("if (i <= n) out[i] = 1.0f")};
  if (kHooks) {
    expect_report(
        [] {
          const DeviceArray<float> out(256);
          planted::write_past_end(out.data(), 256, nullptr);
        },
        words);
  } else if (kAsan) {
    expect_death("child: a write past the end", words);
  }
}

TEST_CASE("child: a use after free" * doctest::skip()) {
  const DeviceArray<float> out(1);
  float* in = nullptr;
  cudaMalloc(&in, 100);
  cudaFree(in);
  planted::read_one(in + 2, out.data(), nullptr);
  cudaDeviceSynchronize();
}
TEST_CASE("a use after free") {
  const std::vector<std::string> words = {"byte 8 of a freed allocation of 100 bytes",
                                          "read_one_kernel", "block (0,0,0) thread (0,0,0)",
                                          place_of("*out = *in + 1.0f")};
  if (kHooks) {
    expect_report(
        [] {
          const DeviceArray<float> out(1);
          float* in = nullptr;
          cudaMalloc(&in, 100);
          cudaFree(in);
          planted::read_one(in + 2, out.data(), nullptr);
        },
        words);
  } else if (kAsan) {
    expect_death("child: a use after free", words);
  }
}

TEST_CASE("divergent barriers") {
  expect_report(
      [] {
        const DeviceArray<float> out(256);
        planted::divergent_barrier(out.data(), nullptr);
      },
      {"divergent barrier", "128 of 256 threads wait", "threads 128-255 have returned",
       "threads 0-127 wait at __syncthreads", "divergent_barrier_kernel",
       place_of("if (threadIdx.x < 128) __syncthreads()")});
  expect_report(
      [] {
        const DeviceArray<float> out(256);
        planted::two_barriers(out.data(), nullptr);
      },
      {"divergent barrier", "comes to another one", "two_barriers_kernel", "block (0,0,0) thread (",
       "faults_cuda.cu:"});
}

TEST_CASE("uninitialised memory") {
  if (kHooks) {
    expect_report(
        [] {
          const DeviceArray<float> out(1);
          planted::uninitialised_shared(out.data(), nullptr);
        },
        {"uninitialised shared memory", "uninitialised_shared_kernel", "::partial",
         "block (0,0,0) thread (0,0,0)", place_of("sum += partial[i]")});
    expect_report(
        [] {
          const DeviceArray<float> in(1), out(1);
          planted::read_one(in.data(), out.data(), nullptr);
        },
        {"uninitialised device memory", "byte 0 of an allocation of 4 bytes", "read_one_kernel",
         "block (0,0,0) thread (0,0,0)", place_of("*out = *in + 1.0f")});
  } else {  // shows as NaN
    const DeviceArray<float> in(1), out(1), sum(1);
    CHECK(planted::read_one(in.data(), out.data(), nullptr) == cudaSuccess);
    CHECK(planted::uninitialised_shared(sum.data(), nullptr) == cudaSuccess);
    CHECK(std::isnan(out.values()[0]));
    CHECK(std::isnan(sum.values()[0]));
  }
}

TEST_CASE("a host pointer given to a kernel" * doctest::skip(!kHooks)) {
  const std::vector<float> host(1, 1.0f);
  expect_report(
      [&] {
        const DeviceArray<float> out(1);
        planted::read_one(host.data(), out.data(), nullptr);
      },
      {"host memory", "read of 4 bytes", "read_one_kernel", "block (0,0,0) thread (0,0,0)",
       place_of("*out = *in + 1.0f")});
}

TEST_CASE("child: host code reads device memory" * doctest::skip()) {
  const DeviceArray<float> array(std::vector<float>(64, 1.0f));
  const volatile float* const data = array.data();
  CHECK(data[3] == 1.0f);
}
TEST_CASE("host code reads device memory") {
  expect_death("child: host code reads device memory",
               {"host code touches device memory", "byte 12 of an allocation of 256 bytes",
                "faults_test.cpp:"});
}

TEST_CASE("child: a misaligned vector" * doctest::skip()) {
  const DeviceArray<float> in(std::vector<float>(64, 1.0f)), out(1);
  planted::misaligned_vector(in.data(), out.data(), nullptr);
  cudaDeviceSynchronize();
}
TEST_CASE("a misaligned vector" * doctest::skip(!kHooks && !kAsan)) {
  expect_death("child: a misaligned vector",
               {"misaligned address", "misaligned_vector_kernel", "block (0,0,0) thread (0,0,0)",
                place_of("reinterpret_cast<const float4*>(in + 2)")});
}

TEST_CASE("child: an overrun of a shared array" * doctest::skip()) {
  const DeviceArray<float> out(32);
  planted::shared_overrun(out.data(), 42, nullptr);
  cudaDeviceSynchronize();
}
TEST_CASE("child: an overrun of dynamic shared memory" * doctest::skip()) {
  const DeviceArray<float> out(1);
  planted::past_dynamic_shared(out.data(), nullptr);
  cudaDeviceSynchronize();
}
TEST_CASE("overruns of shared memory" * doctest::skip(!kHooks && !kAsan)) {
  expect_death("child: an overrun of a shared array",
               {"index 40 out of bounds", "shared_overrun_kernel", "block (0,0,0) thread (8,0,0)",
                place_of("i < n; i += 32) a[i] = 1.0f")});
  const std::string place = place_of("i < words; i += 32) values[i] = 1.0f");
  if (kHooks) {
    expect_report(
        [] {
          const DeviceArray<float> out(1);
          planted::past_dynamic_shared(out.data(), nullptr);
        },
        {"out of bounds: byte 256 of 256 bytes of dynamic shared memory", "dynamic_shared_kernel",
         "block (0,0,0) thread (0,0,0)", place});
  } else {
    expect_death("child: an overrun of dynamic shared memory",
                 {"use-after-poison", "dynamic_shared_kernel", place});
  }
}

TEST_CASE("launches beyond the device's limits") {
  CHECK(planted::empty_grid(nullptr) == cudaErrorInvalidConfiguration);
  check_words(cudaGetErrorString(cudaGetLastError()), {"empty grid (0,1,1)", "nothing_kernel"});
  const DeviceArray<float> out(1);
  constexpr size_t kMuch = 100 * 1024, kTooMuch = 228 * 1024;
  CHECK(planted::dynamic_shared(out.data(), kMuch, false, nullptr) == cudaErrorInvalidValue);
  check_words(cudaGetErrorString(cudaErrorInvalidValue),
              {"102400 bytes of dynamic shared memory, allowed are 49152"});
  CHECK(planted::dynamic_shared(out.data(), kTooMuch, true, nullptr) == cudaErrorInvalidValue);
  CHECK(planted::dynamic_shared(out.data(), kMuch, true, nullptr) == cudaSuccess);
  CHECK(out.values()[0] == 1.0f);
  CHECK(report().empty());  // a refused launch leaves the device as it was
}

TEST_CASE("two blocks write one address" * doctest::skip(!kHooks)) {
  expect_report(
      [] {
        const DeviceArray<float> out(1);
        planted::block_race(out.data(), nullptr);
      },
      {"race on device memory", "write in another block", "block_race_kernel", ") thread (0,0,0)",
       place_of("*out = static_cast<float>(blockIdx.x)")});
}

TEST_CASE("a mask that names lanes that never come") {
  expect_report(
      [] {
        const DeviceArray<float> out(64);
        planted::shuffle_mask(out.data(), nullptr);
      },
      {"mask 0xffffffff names lanes 0xffff0000", "shuffle_mask_kernel", "block (0,0,0) thread (",
       place_of("__shfl_down_sync(0xffffffffu, v, 1)")});
}

TEST_CASE("child: an endless loop" * doctest::skip()) {
  options().watchdog_seconds = 1;
  const DeviceArray<int> flag(std::vector<int>(1, 0));
  planted::endless_loop(flag.data(), nullptr);
  cudaDeviceSynchronize();
}
TEST_CASE("an endless loop") {
  expect_death("child: an endless loop",
               {"watchdog: still running", "endless_loop_kernel", "block (0,0,0) thread (0,0,0)"});
}

TEST_CASE("child: a full stack" * doctest::skip()) {
  const DeviceArray<int> out(1);
  planted::deep_recursion(out.data(), nullptr);
  cudaDeviceSynchronize();
}
TEST_CASE("a full stack") {
  expect_death("child: a full stack", {"needs more than 64 KiB of stack", "deep_recursion_kernel",
                                       "block (0,0,0) thread (0,0,0)"});
}

TEST_CASE("copies and releases of what is not there") {
  expect_report(
      [] {
        const DeviceArray<float> array(16);
        std::vector<float> host(17);
        cudaMemcpy(host.data(), array.data(), 17 * sizeof(float), cudaMemcpyDeviceToHost);
      },
      {"copy of 68 bytes", "past the end of the allocation",
       "byte 0 of an allocation of 64 bytes"});
  expect_report(
      [] {
        void* memory = nullptr;
        cudaMalloc(&memory, 16);
        cudaFree(memory);
        cudaFree(memory);
      },
      {"cudaFree", "byte 0 of a freed allocation of 16 bytes"});
}

}  // namespace emu::test
