#include "tools/watchdog.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "tools/stack_dump.h"

namespace mrcnn {
namespace {

using std::chrono::milliseconds;

class Alarm {
 public:
  void operator()(const std::string& what) {
    const std::lock_guard lock(mutex_);
    what_ = what;
    came_.notify_all();
  }
  // What the watchdog said; "" if nothing within the time.
  std::string wait(milliseconds most) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, most, [this] { return !what_.empty(); });
    return what_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::string what_;
};

TEST_CASE("No beat within the limit of a phase is told") {
  Alarm alarm;
  Watchdog dog([&alarm](const std::string& what) { alarm(what); });
  const Watchdog::Phase outer(dog, "all", 0);  // for ever
  {
    const Watchdog::Phase step(dog, "step 5", 60);
    CHECK(alarm.wait(milliseconds(200)) == "");
  }
  const Watchdog::Phase save(dog, "the checkpoint", 1);
  CHECK(alarm.wait(milliseconds(20000)) == "the checkpoint: no progress for 1 s");
}

TEST_CASE("Beats and a new phase put it off; a phase that ends gives back the limit around it") {
  Alarm alarm;
  Watchdog dog([&alarm](const std::string& what) { alarm(what); });
  const Watchdog::Phase outer(dog, "all", 1);
  for (int i = 0; i < 15; ++i) {
    CHECK(alarm.wait(milliseconds(100)) == "");
    dog.beat();
  }
  { const Watchdog::Phase inner(dog, "inner", 0); }
  CHECK(alarm.wait(milliseconds(20000)) == "all: no progress for 1 s");
}

TEST_CASE("A watchdog that is no longer wanted ends at once") {
  const auto began = std::chrono::steady_clock::now();
  {
    Watchdog dog([](const std::string&) {});
  }
  CHECK(std::chrono::steady_clock::now() - began < milliseconds(5000));
}

[[gnu::noinline]] void wait_here(std::atomic<int>& waiting, std::atomic<bool>& over) {
  ++waiting;
  while (!over) std::this_thread::sleep_for(milliseconds(5));
}

TEST_CASE("Stacks of all threads but the asking one") {
  prepare_stack_dump();
  std::atomic<int> waiting = 0;
  std::atomic<bool> over = false;
  const auto wait = [&] { wait_here(waiting, over); };
  std::thread first(wait), second(wait);
  while (waiting < 2) std::this_thread::sleep_for(milliseconds(1));
  const auto count = [](const std::string& text, const std::string& part) {
    int found = 0;
    for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  for (int i = 0; i < 20; ++i) {
    const std::string text = stacks_of_all_threads();
    CAPTURE(text);
    CHECK(count(text, "thread ") >= 2);
    CHECK(count(text, "no answer") == 0);
    CHECK(count(text, "\n  ") >= 6);
  }
  over = true;
  first.join();
  second.join();
}

}  // namespace
}  // namespace mrcnn
