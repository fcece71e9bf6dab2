// Operations compiled by oneDNN and the packed weights they want, kept for the last few sizes.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <utility>

#include "core/tensor.h"
#include "kernels/conv/onednn.h"

namespace mrcnn::onednn {

struct PreparedOperation {
  Operation operation;
  Tensor weight;  // in operation.weight's layout
};

// Thread safe. Key is what an operation depends on, beyond the weight.
template <typename Key>
class OperationCache {
 public:
  OperationCache(Tensor weight, dnnl::memory::desc layout)
      : weight_(std::move(weight)), layout_(std::move(layout)) {}

  // The operation for `key`, made by make() when it is not kept.
  template <typename Make>
  PreparedOperation get(const Key& key, Make&& make) {
    const std::lock_guard lock(mutex_);
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->first == key) {
        entries_.splice(entries_.begin(), entries_, entry);
        return entry->second;
      }
    }
    Operation operation = make();
    Tensor weight = packed_as(operation.weight);
    entries_.emplace_front(key, PreparedOperation{std::move(operation), std::move(weight)});
    if (entries_.size() > kCapacity) entries_.pop_back();
    return entries_.front().second;
  }

 private:
  // Sixteen sizes cover a batch run in powers of two, with and without a residual; an operation is
  // some kilobytes of code and takes about a millisecond to make again.
  static constexpr size_t kCapacity = 16;

  // Most sizes want the same layout: they share one packed copy. The plain weight is let go once
  // there is a packed one; another layout is made from that.
  Tensor packed_as(const dnnl::memory::desc& layout) {
    for (const auto& [key, prepared] : entries_) {
      if (prepared.operation.weight == layout) return prepared.weight;
    }
    weight_ = pack(weight_, layout_, layout);
    layout_ = layout;
    return weight_;
  }

  std::mutex mutex_;
  Tensor weight_;  // in layout_
  dnnl::memory::desc layout_;
  std::list<std::pair<Key, PreparedOperation>> entries_;
};

}  // namespace mrcnn::onednn
