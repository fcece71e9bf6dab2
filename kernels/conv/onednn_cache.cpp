#include "kernels/conv/onednn_cache.h"

#include <list>
#include <map>
#include <mutex>
#include <utility>

#include "core/allocator.h"
#include "core/parallel.h"

namespace mrcnn::onednn {
namespace {

// A model has some hundred operations per size of its images; each is some kilobytes of code and
// takes about a millisecond to make again.
constexpr size_t kCapacity = 1024;

// oneDNN 2.6 writes its code to address 0 when it finds no memory for it.
constexpr int64_t kRoomForCode = int64_t{16} << 20;

class OperationStore {
 public:
  Operation get(const OperationKey& key) {
    const std::lock_guard lock(mutex_);
    if (const auto found = places_.find(key); found != places_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->second;
    }
    require_host_memory(kRoomForCode);
    Operation operation = key.pass == Pass::kForward ? make_convolution(key.geometry, key.epilogue)
                                                     : make_data_gradient(key.geometry);
    entries_.emplace_front(key, std::move(operation));
    places_.emplace(key, entries_.begin());
    if (entries_.size() > kCapacity) {
      places_.erase(entries_.back().first);
      entries_.pop_back();
    }
    return entries_.front().second;
  }

 private:
  using Entries = std::list<std::pair<OperationKey, Operation>>;
  std::mutex mutex_;
  Entries entries_;  // used last first
  std::map<OperationKey, Entries::iterator> places_;
};

}  // namespace

Operation cached_operation(OperationKey key) {
  static OperationStore store;
  key.threads = num_threads();
  return store.get(key);
}

}  // namespace mrcnn::onednn
