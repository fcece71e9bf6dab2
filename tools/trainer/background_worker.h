// Work that goes on behind other work.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace mrcnn {

// Runs tasks in their order on a thread of its own. At most `ahead` wait, so memory is bounded by
// what so many hold. A task that throws is the last one; the others are dropped.
class BackgroundWorker {
 public:
  explicit BackgroundWorker(size_t ahead);
  // Tasks that wait are dropped.
  ~BackgroundWorker() = default;
  BackgroundWorker(const BackgroundWorker&) = delete;
  BackgroundWorker& operator=(const BackgroundWorker&) = delete;

  // Waits until there is room. Rethrows what a task threw.
  void add(std::function<void()> task);
  // Waits until all are done. Rethrows what a task threw.
  void finish();

 private:
  void work(const std::stop_token& stop);

  const size_t ahead_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> waiting_;
  bool busy_ = false;
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it is stopped and joined before what it uses goes away
};

}  // namespace mrcnn
