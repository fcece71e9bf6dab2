#include "tests/support/device.h"

#include <doctest/doctest.h>

#include <cstdio>

#include "core/cuda/probe.h"
#include "core/stream.h"
#include "tests/support/schedules.h"

namespace mrcnn::test {

void on_cuda(const std::function<void(Device)>& body, int most_schedules) {
  if (cuda_devices().names.empty()) {
    std::printf("[SKIP] %s\n", cuda_devices().problem.c_str());
    return;
  }
  const Device device{DeviceKind::kCuda, 0};
  on_each_schedule(
      [&] {
        body(device);
        synchronize(device);
      },
      most_schedules);
}

}  // namespace mrcnn::test
