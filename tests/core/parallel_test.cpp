#include "core/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace mrcnn {
namespace {

// Sets the number of threads for a scope.
class ThreadCount {
 public:
  explicit ThreadCount(int count) : before_(num_threads()) { set_num_threads(count); }
  ~ThreadCount() { set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

constexpr int kThreadCounts[] = {1, 2, 5};  // 5: more than the machine may have

TEST_CASE("Every index is visited once, in chunks of at most the grain") {
  for (const int threads : kThreadCounts) {
    const ThreadCount scope(threads);
    for (const int64_t grain : {1, 7, 100, 1000}) {
      std::vector<std::atomic<int>> visits(237);
      std::atomic<bool> is_chunk_ok = true;
      parallel_for(10, 237, grain, [&](int64_t begin, int64_t end) {
        if (begin >= end || end - begin > grain || (begin - 10) % grain != 0) is_chunk_ok = false;
        for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
      });
      CHECK(is_chunk_ok);
      for (size_t i = 0; i < visits.size(); ++i) REQUIRE(visits[i] == (i < 10 ? 0 : 1));
    }
  }
}

TEST_CASE("Nothing runs for an empty range; a grain below one counts as one") {
  std::atomic<int> calls = 0;
  const auto count = [&](int64_t, int64_t) { ++calls; };
  parallel_for(5, 5, 10, count);
  parallel_for(5, 3, 10, count);
  CHECK(calls == 0);
  parallel_for(0, 3, 0, count);
  CHECK(calls == 3);
}

TEST_CASE("An exception of a body reaches the caller, and the loop works again") {
  for (const int threads : kThreadCounts) {
    const ThreadCount scope(threads);
    const auto failing = [](int64_t begin, int64_t) {
      if (begin >= 50) throw std::runtime_error("body failed");
    };
    CHECK_THROWS_WITH_AS(parallel_for(0, 100, 1, failing), "body failed", std::runtime_error);
    std::atomic<int64_t> sum = 0;
    parallel_for(0, 100, 9, [&](int64_t begin, int64_t end) { sum += end - begin; });
    CHECK(sum == 100);
  }
}

TEST_CASE("A loop inside a loop covers its range too") {
  for (const int threads : kThreadCounts) {
    const ThreadCount scope(threads);
    std::vector<std::atomic<int>> visits(60);
    parallel_for(0, 6, 1, [&](int64_t outer, int64_t) {
      parallel_for(0, 10, 3, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(outer * 10 + i)];
      });
    });
    for (const std::atomic<int>& count : visits) REQUIRE(count == 1);
  }
}

TEST_CASE("An exception passes through a loop inside a loop") {
  const auto inner = [](int64_t, int64_t) { throw std::runtime_error("inner failed"); };
  CHECK_THROWS_WITH_AS(
      parallel_for(0, 4, 1, [&](int64_t, int64_t) { parallel_for(0, 4, 1, inner); }),
      "inner failed", std::runtime_error);
}

TEST_CASE("The number of threads is at least one") {
  const ThreadCount scope(3);
  CHECK(num_threads() == 3);
  set_num_threads(0);
  CHECK(num_threads() == 1);
}

}  // namespace
}  // namespace mrcnn
