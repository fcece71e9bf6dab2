#include "data/evaluation/mistakes.h"

#include <algorithm>
#include <tuple>

namespace mrcnn {
namespace {

bool is_worse(const FalsePositive& a, const FalsePositive& b) {
  return std::tuple(-a.score, a.image_id, a.index) < std::tuple(-b.score, b.image_id, b.index);
}
bool is_worse(const Miss& a, const Miss& b) {
  return std::tuple(-a.area, a.image_id, a.index) < std::tuple(-b.area, b.image_id, b.index);
}

struct Worse {
  template <typename T>
  bool operator()(const T& a, const T& b) const {
    return is_worse(a, b);
  }
};

template <typename T>
void push(std::vector<T>& heap, const T& mistake, int64_t limit) {
  if (limit <= 0) return;
  if (static_cast<int64_t>(heap.size()) == limit) {
    if (!is_worse(mistake, heap.front())) return;
    std::pop_heap(heap.begin(), heap.end(), Worse());
    heap.pop_back();
  }
  heap.push_back(mistake);
  std::push_heap(heap.begin(), heap.end(), Worse());
}

}  // namespace

void MistakeCollector::add(const FalsePositive& mistake) {
  push(heaps_.false_positives, mistake, limit_);
}
void MistakeCollector::add(const Miss& mistake) { push(heaps_.misses, mistake, limit_); }

Mistakes MistakeCollector::worst() const {
  Mistakes sorted = heaps_;
  std::sort_heap(sorted.false_positives.begin(), sorted.false_positives.end(), Worse());
  std::sort_heap(sorted.misses.begin(), sorted.misses.end(), Worse());
  return sorted;
}

}  // namespace mrcnn
