// What correct kernels may rely on: barriers, warp operations, atomics, conversions, memory.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "tests/emulation/emulated_cuda.h"
#include "tests/emulation/faults.h"
#include "tests/emulation/test_tools.h"

namespace emu::test {

TEST_CASE("the device says that it is emulated") {
  cudaDeviceProp properties;
  REQUIRE(cudaGetDeviceProperties(&properties, 0) == cudaSuccess);
  CHECK(std::string(properties.name) == "emulated");
  CHECK(cudaGetDeviceProperties(&properties, 1) == cudaErrorInvalidDevice);
  cudaGetLastError();
}

TEST_CASE("warp operations give every lane its result") {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    options().seed = seed;
    const DeviceArray<int> out(14 * 32);
    REQUIRE(planted::warp_results(out.data(), nullptr) == cudaSuccess);
    const std::vector<int> results = out.values();
    REQUIRE(report() == "");
    for (int lane = 0; lane < 32; ++lane) {
      const auto row = [&](int i) { return results[static_cast<size_t>(i * 32 + lane)]; };
      CAPTURE(lane);
      CHECK(row(0) == 30);
      CHECK(row(1) == (lane == 0 ? 0 : lane - 1));
      CHECK(row(2) == (lane + 2 > 31 ? lane : lane + 2));
      CHECK(row(3) == (lane ^ 5));
      CHECK(row(4) == (lane % 8 == 7 ? lane : lane + 1));
      CHECK(row(5) == 0x49249249);
      CHECK(row(6) == 1);
      CHECK(row(7) == 0);
      CHECK(static_cast<unsigned>(row(8)) == 0xfu << (lane / 4 * 4));
      CHECK(row(9) == 31 * 16 - 40 * 32);
      CHECK(row(10) == -40);
      CHECK(row(11) == 31);
      CHECK(row(12) == (lane < 16 ? 16 : 1600));
      CHECK(row(13) == 1);
    }
  }
  options().seed = 0;
}

TEST_CASE("barriers count votes") {
  const DeviceArray<int> out(3);
  REQUIRE(planted::block_votes(out.data(), nullptr) == cudaSuccess);
  CHECK(out.values() == std::vector<int>{32, 1, 1});
}

TEST_CASE("atomics meet across threads and blocks") {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    options().seed = seed;
    const DeviceArray<int> counters(std::vector<int>(3, 0));
    REQUIRE(planted::count_atomically(counters.data(), 9, nullptr) == cudaSuccess);
    CHECK(counters.values() == std::vector<int>{9 * 96, 95, 511});
    CHECK(report() == "");
  }
  options().seed = 0;
}

TEST_CASE("a seed is one order of blocks, and the same one after reset") {
  constexpr int kBlocks = 50;
  const auto order_of = [&](uint64_t seed) {
    reset();
    options().seed = seed;
    const DeviceArray<int> next(std::vector<int>(1, 0)), order(kBlocks);
    REQUIRE(planted::block_order(next.data(), order.data(), kBlocks, nullptr) == cudaSuccess);
    return order.values();
  };
  std::vector<int> ascending(kBlocks);
  std::iota(ascending.begin(), ascending.end(), 0);
  CHECK(order_of(0) == ascending);
  CHECK(order_of(1) == std::vector<int>(ascending.rbegin(), ascending.rend()));
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 2; seed < 8; ++seed) {
    const std::vector<int> order = order_of(seed);
    CHECK(std::set<int>(order.begin(), order.end()).size() == kBlocks);
    CHECK(order_of(seed) == order);
    orders.insert(order);
  }
  CHECK(orders.size() == 6);
  options().seed = 0;
}

TEST_CASE("bf16 rounds to nearest even") {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> in = {1.0f,
                                 -2.5f,
                                 0.0f,
                                 -0.0f,
                                 inf,
                                 -inf,
                                 std::nanf(""),
                                 std::bit_cast<float>(0x3f808000u),   // tie, down to even
                                 std::bit_cast<float>(0x3f818000u),   // tie, up to even
                                 std::bit_cast<float>(0x3f808001u),   // just above a tie
                                 std::bit_cast<float>(0x7f7fffffu),   // rounds to infinity
                                 std::bit_cast<float>(0x00000001u)};  // denormal
  const std::vector<uint16_t> expected = {0x3f80, 0xc020, 0x0000, 0x8000, 0x7f80, 0xff80,
                                          0x7fff, 0x3f80, 0x3f82, 0x3f81, 0x7f80, 0x0000};
  const DeviceArray<float> values(in);
  const DeviceArray<uint16_t> out(in.size());
  REQUIRE(planted::round_to_bf16(values.data(), out.data(), static_cast<int>(in.size()), nullptr) ==
          cudaSuccess);
  CHECK(out.values() == expected);
}

TEST_CASE("allocations are counted, found and refused when they do not fit") {
  const size_t before = live_allocations();
  void* memory = nullptr;
  {
    const DeviceArray<int> values(10);
    CHECK(live_allocations() == before + 1);
    cudaPointerAttributes attributes;
    CHECK(cudaPointerGetAttributes(&attributes, values.data() + 9) == cudaSuccess);
    CHECK(attributes.type == cudaMemoryTypeDevice);
    CHECK(cudaPointerGetAttributes(&attributes, values.data() + 10) == cudaSuccess);
    CHECK(attributes.type == cudaMemoryTypeUnregistered);
    REQUIRE(cudaMallocHost(&memory, 8) == cudaSuccess);
    CHECK(cudaPointerGetAttributes(&attributes, memory) == cudaSuccess);
    CHECK(attributes.type == cudaMemoryTypeHost);
    CHECK(cudaFreeHost(memory) == cudaSuccess);
  }
  CHECK(live_allocations() == before);
  size_t free_bytes = 0, total = 0;
  CHECK(cudaMemGetInfo(&free_bytes, &total) == cudaSuccess);
  CHECK(cudaMalloc(&memory, total) == cudaErrorMemoryAllocation);
  CHECK(contains(cudaGetErrorString(cudaGetLastError()), "out of memory"));
  CHECK(cudaMalloc(&memory, 0) == cudaSuccess);
  CHECK(memory == nullptr);
}

TEST_CASE("released memory is used again and again") {
  // Far more than the device has, so that pieces of many sizes must join.
  for (size_t i = 0; i < 3000; ++i) {
    void* first = nullptr;
    void* second = nullptr;
    REQUIRE(cudaMalloc(&first, (i % 7 + 1) << 20) == cudaSuccess);
    REQUIRE(cudaMalloc(&second, (i % 5 + 1) * 300) == cudaSuccess);
    cudaFree(first);
    cudaFree(second);
  }
  uint64_t reserved = 0;
  cudaMemPool_t pool = nullptr;
  REQUIRE(cudaDeviceGetDefaultMemPool(&pool, 0) == cudaSuccess);
  CHECK(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReservedMemCurrent, &reserved) == cudaSuccess);
  CHECK(reserved < (uint64_t{128} << 20));
}

}  // namespace emu::test
