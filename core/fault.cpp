#include "core/fault.h"

#include <atomic>

namespace mrcnn {
namespace {

std::atomic<FaultHook> g_hook{nullptr};

}  // namespace

FaultHook set_fault_hook(FaultHook hook) { return g_hook.exchange(hook); }

Fault fault_at(const FaultPlace& place) {
  const FaultHook hook = g_hook.load(std::memory_order_acquire);
  return hook == nullptr ? Fault{} : hook(place);
}

}  // namespace mrcnn
