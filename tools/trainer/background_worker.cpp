#include "tools/trainer/background_worker.h"

#include <algorithm>
#include <utility>

namespace mrcnn {

BackgroundWorker::BackgroundWorker(size_t ahead)
    : ahead_(std::max<size_t>(ahead, 1)),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

void BackgroundWorker::add(std::function<void()> task) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || waiting_.size() < ahead_; });
  if (failure_) std::rethrow_exception(failure_);
  waiting_.push_back(std::move(task));
  changed_.notify_all();
}

void BackgroundWorker::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || (waiting_.empty() && !busy_); });
  if (failure_) std::rethrow_exception(failure_);
}

void BackgroundWorker::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); }) &&
         !stop.stop_requested()) {
    std::function<void()> task = std::move(waiting_.front());
    waiting_.pop_front();
    busy_ = true;
    changed_.notify_all();
    lock.unlock();
    std::exception_ptr failure;
    try {
      task();
    } catch (...) {
      failure = std::current_exception();
    }
    task = nullptr;  // what it holds goes before anybody is told that it is done
    lock.lock();
    busy_ = false;
    failure_ = failure;
    changed_.notify_all();
    if (failure_) {
      waiting_.clear();
      return;
    }
  }
}

}  // namespace mrcnn
