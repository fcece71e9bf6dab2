// The GPU that device tests run on: a real one, or the emulated one in its two builds.
#pragma once

#include <functional>

#include "core/device.h"

namespace mrcnn::test {

// Runs body on the first GPU and waits for what it queued. Where there is none it prints
// "[SKIP] reason", which the test runner counts. The emulated device runs it once per schedule of
// threads: MRCNN_EMU_SEEDS=n sets how many, MRCNN_EMU_SEED=s runs only one, as a failure asks for.
// A test of many kernels at once, which have their own tests, asks for fewer schedules.
void on_cuda(const std::function<void(Device)>& body, int most_schedules = 1000000);

}  // namespace mrcnn::test
