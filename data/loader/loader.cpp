#include "data/loader/loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "core/error.h"

namespace mrcnn {
namespace {

// A sample that is asked for, being made, or made.
struct Slot {
  int64_t index = 0;
  int64_t epoch = 0;
  bool taken = false;  // by a thread
  bool done = false;
  std::optional<Sample> sample = {};
  std::exception_ptr error = {};
};

struct PendingBatch {
  LoaderPosition position;
  LoaderPosition next;
  std::vector<Slot> slots = {};
};

}  // namespace

class Loader::Impl {
 public:
  Impl(const Dataset& dataset, const LoaderOptions& options, const LoaderPosition& start)
      : dataset_(dataset), options_(options), position_(start) {
    check_augmentation(options.augmentation);
    if (options.threads < 0 || options.batches_ahead < 1) {
      throw UsageError("a loader needs 0 or more threads and 1 or more batches ahead");
    }
    if (dataset.size() == 0) {
      throw Error(ExitCode::kData, dataset.name() + ": no images to train on");
    }
    for (int64_t i = 0; i < dataset.size(); ++i) {
      const DatasetImage image = dataset.image(i);
      aspects_.push_back(static_cast<float>(image.height) / static_cast<float>(image.width));
    }
    plan(position_.epoch);
    if (position_.batch < 0 || position_.epoch < 0 || position_.batch >= batches_per_epoch()) {
      throw UsageError("batch " + std::to_string(position_.batch) + " of epoch " +
                       std::to_string(position_.epoch) + " does not exist: an epoch has " +
                       std::to_string(batches_per_epoch()));
    }
    {
      const std::lock_guard lock(mutex_);
      fill_queue();
    }
    try {
      for (int i = 0; i < options.threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      const size_t started = threads_.size();
      end_threads();
      throw Error(ExitCode::kResources,
                  std::string("the system gives no more threads: ") + std::to_string(started) +
                      " of " + std::to_string(options.threads) +
                      " of the loader's have started; fewer loader_threads may help");
    }
  }

  ~Impl() { end_threads(); }

  int64_t batches_per_epoch() const { return static_cast<int64_t>(batches_.size()); }

  int64_t images_per_epoch() const {
    return std::min(static_cast<int64_t>(aspects_.size()),
                    batches_per_epoch() * options_.plan.batch);
  }

  LoadedBatch next() {
    std::unique_lock lock(mutex_);
    fill_queue();
    wake_.notify_all();
    PendingBatch& front = queue_.front();
    for (Slot& slot : front.slots) {
      if (options_.threads == 0) {
        make(slot, lock);
      } else {
        done_.wait(lock, [&slot] { return slot.done; });
      }
    }
    PendingBatch batch = std::move(front);
    queue_.pop_front();
    lock.unlock();
    return collect(std::move(batch));
  }

 private:
  void end_threads() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void plan(int64_t epoch) { batches_ = plan_epoch(aspects_, options_.plan, options_.seed, epoch); }

  // Keeps batches_ahead batches asked for. The mutex is held.
  void fill_queue() {
    while (static_cast<int64_t>(queue_.size()) < options_.batches_ahead) {
      PendingBatch& batch = queue_.emplace_back();
      batch.position = position_;
      for (const int64_t index : batches_[static_cast<size_t>(position_.batch)]) {
        batch.slots.push_back({.index = index, .epoch = position_.epoch});
      }
      if (++position_.batch == batches_per_epoch()) {
        position_ = {.epoch = position_.epoch + 1, .batch = 0};
        plan(position_.epoch);
      }
      batch.next = position_;
    }
  }

  Slot* first_free() {
    for (PendingBatch& batch : queue_) {
      for (Slot& slot : batch.slots) {
        if (!slot.taken) return &slot;
      }
    }
    return nullptr;
  }

  // Makes a sample with the mutex released. A deque keeps its elements in place while others come
  // and go, and a batch is not popped before its slots are done, so the slot stays where it is.
  void make(Slot& slot, std::unique_lock<std::mutex>& lock) {
    slot.taken = true;
    lock.unlock();
    std::optional<Sample> sample = {};
    std::exception_ptr error = {};
    try {
      sample = load_sample(dataset_, slot.index, options_.sample);
      sample->augmentation =
          options_.augment
              ? choose_augmentation(options_.augmentation, options_.seed, slot.epoch, slot.index)
              : no_augmentation(options_.augmentation);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    slot.sample = std::move(sample);
    slot.error = error;
    slot.done = true;
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      Slot* slot = nullptr;
      wake_.wait(lock, [&] { return stopping_ || (slot = first_free()) != nullptr; });
      if (stopping_) return;
      make(*slot, lock);
      done_.notify_all();
    }
  }

  LoadedBatch collect(PendingBatch pending) {
    LoadedBatch batch{.position = pending.position, .next = pending.next};
    for (Slot& slot : pending.slots) {
      if (slot.sample) {
        batch.samples.push_back(std::move(*slot.sample));
        continue;
      }
      if (options_.bad_samples == BadSamplePolicy::kFail) std::rethrow_exception(slot.error);
      try {
        std::rethrow_exception(slot.error);
      } catch (const FileError& error) {
        // Anything else, such as no memory or no descriptors, is no fault of the image.
        if (error.exit_code() != ExitCode::kData) throw;
        batch.skipped.push_back(
            {.image_id = dataset_.image(slot.index).id, .problem = error.what()});
      }
    }
    refuse_empty_epochs(batch);
    return batch;
  }

  void refuse_empty_epochs(const LoadedBatch& batch) {
    if (!batch.samples.empty()) {
      empty_batches_ = 0;
    } else if (++empty_batches_ >= batches_per_epoch()) {
      throw Error(ExitCode::kData, dataset_.name() + ": not one image of an epoch could be used; " +
                                       "the last: " + batch.skipped.back().problem);
    }
  }

  const Dataset& dataset_;
  const LoaderOptions options_;
  std::vector<float> aspects_;
  std::vector<std::vector<int64_t>> batches_;  // of the epoch of position_
  LoaderPosition position_;                    // of the next batch to ask for
  int64_t empty_batches_ = 0;                  // in a row

  std::mutex mutex_;
  std::condition_variable wake_;  // there is something to do, or no more
  std::condition_variable done_;  // a sample is made
  std::deque<PendingBatch> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

Loader::Loader(const Dataset& dataset, const LoaderOptions& options, const LoaderPosition& start)
    : impl_(std::make_unique<Impl>(dataset, options, start)) {}
Loader::~Loader() = default;
int64_t Loader::batches_per_epoch() const { return impl_->batches_per_epoch(); }
int64_t Loader::images_per_epoch() const { return impl_->images_per_epoch(); }
LoadedBatch Loader::next() { return impl_->next(); }

}  // namespace mrcnn
