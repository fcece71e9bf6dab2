#include "tools/trainer/background_worker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace mrcnn {
namespace {

TEST_CASE("Tasks run in their order, on another thread, and finish waits for all") {
  std::vector<int> done;
  std::thread::id thread;
  BackgroundWorker worker(2);
  for (int i = 0; i < 50; ++i) {
    worker.add([&, i] {
      done.push_back(i);
      thread = std::this_thread::get_id();
    });
  }
  worker.finish();
  REQUIRE(done.size() == 50);
  for (int i = 0; i < 50; ++i) CHECK(done[static_cast<size_t>(i)] == i);
  CHECK(thread != std::this_thread::get_id());
  worker.add([&] { done.clear(); });  // and again
  worker.finish();
  CHECK(done.empty());
}

TEST_CASE("No more tasks wait than may") {
  std::atomic<int> alive = 0, most = 0;
  struct Held {
    explicit Held(std::atomic<int>& held) : count(held) { ++count; }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() { --count; }
    std::atomic<int>& count;
  };
  BackgroundWorker worker(3);
  for (int i = 0; i < 30; ++i) {
    worker.add([held = std::make_shared<Held>(alive), &alive, &most] {
      most = std::max(most.load(), alive.load());
    });
  }
  worker.finish();
  CHECK(alive == 0);
  CHECK(most <= 5);  // three that wait, the one that runs, the one that is being added
}

TEST_CASE("A failure reaches the caller, and what came behind it is dropped") {
  std::atomic<bool> ran = false;
  BackgroundWorker worker(8);
  worker.add([] { throw std::runtime_error("no"); });
  CHECK_THROWS_WITH(
      [&] {
        worker.add([&] { ran = true; });
        worker.finish();
      }(),
      "no");
  CHECK_THROWS_WITH(worker.add([&] { ran = true; }), "no");
  CHECK_FALSE(ran);
}

TEST_CASE("A worker that goes away drops what waits") {
  std::atomic<int> done = 0;
  {
    BackgroundWorker worker(100);
    for (int i = 0; i < 100; ++i) worker.add([&] { ++done; });
  }
  CHECK(done <= 100);
}

}  // namespace
}  // namespace mrcnn
