#include "core/allocator.h"

#include <doctest/doctest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "core/error.h"

namespace mrcnn {
namespace {

bool is_aligned(std::byte* block) {
  void* address = block;
  size_t space = 2 * kTensorAlignment;
  return std::align(kTensorAlignment, 1, address, space) == block;
}

TEST_CASE("Rejects negative and absurd sizes") {
  CHECK_THROWS_WITH_AS(allocate_host(-1), doctest::Contains("-1 bytes"), MemoryError);
  CHECK_THROWS_AS(allocate_host(int64_t{1} << 50), MemoryError);
}

TEST_CASE("Blocks of every size are aligned, writable to the end and apart from each other") {
  std::vector<std::shared_ptr<std::byte>> blocks;
  std::vector<size_t> sizes;
  for (size_t bytes = 0; bytes < 5000; bytes = bytes * 5 / 4 + 1) {
    blocks.push_back(allocate_host(static_cast<int64_t>(bytes)));
    sizes.push_back(bytes);
    CHECK(is_aligned(blocks.back().get()));
    std::memset(blocks.back().get(), static_cast<int>(blocks.size()), bytes);
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    for (size_t byte = 0; byte < sizes[i]; ++byte) {
      REQUIRE(blocks[i].get()[byte] == static_cast<std::byte>(i + 1));
    }
  }
}

TEST_CASE("A freed block is handed out again, also for a nearly equal size") {
  std::shared_ptr<std::byte> block = allocate_host(1000000);
  const std::byte* const address = block.get();
  block.reset();
  block = allocate_host(999999);
  CHECK(block.get() == address);
}

TEST_CASE("The statistics follow live, peak and cached bytes") {
  release_host_cache();
  const int64_t before = host_allocator_stats().live_bytes;
  CHECK(host_allocator_stats().cached_bytes == 0);
  reset_host_allocator_peak();
  constexpr int64_t kBytes = 1 << 20;
  {
    const auto first = allocate_host(kBytes);
    CHECK(host_allocator_stats().live_bytes - before == kBytes);
    {
      const auto second = allocate_host(kBytes);
      CHECK(host_allocator_stats().live_bytes - before == 2 * kBytes);
    }
    CHECK(host_allocator_stats().live_bytes - before == kBytes);
    CHECK(host_allocator_stats().cached_bytes == kBytes);
  }
  CHECK(host_allocator_stats().live_bytes == before);
  CHECK(host_allocator_stats().peak_bytes - before == 2 * kBytes);
  CHECK(host_allocator_stats().cached_bytes == 2 * kBytes);
  reset_host_allocator_peak();
  CHECK(host_allocator_stats().peak_bytes == before);
  release_host_cache();
  CHECK(host_allocator_stats().cached_bytes == 0);
}

TEST_CASE("At most an eighth of a block is wasted") {
  for (const int64_t bytes : {1000, 5000, 70001, 1100000}) {
    const int64_t before = host_allocator_stats().live_bytes;
    const auto block = allocate_host(bytes);
    const int64_t used = host_allocator_stats().live_bytes - before;
    CHECK(used >= bytes);
    CHECK(used - bytes <= used / 8);
  }
}

TEST_CASE("Threads may allocate and free at the same time") {
  const int64_t before = host_allocator_stats().live_bytes;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([thread] {
      for (int64_t round = 0; round < 500; ++round) {
        const auto block = allocate_host(64 + round % 7 * 1000);
        std::memset(block.get(), thread, 64);
      }
    });
  }
  threads.clear();
  CHECK(host_allocator_stats().live_bytes == before);
}

}  // namespace
}  // namespace mrcnn
