// Where a tensor lives and an operation runs.
#pragma once

#include <string>
#include <string_view>

namespace mrcnn {

enum class DeviceKind { kCpu, kCuda };

struct Device {
  DeviceKind kind = DeviceKind::kCpu;
  int index = 0;

  bool is_cpu() const { return kind == DeviceKind::kCpu; }
  bool is_cuda() const { return kind == DeviceKind::kCuda; }
  std::string to_string() const;  // "cpu", "cuda:0"
  friend bool operator==(const Device&, const Device&) = default;
};

// A device that was asked for, and in words why it is that one ("no GPU found"), or what it is
// ("NVIDIA H100 80GB HBM3, 79.1 GiB").
struct DeviceChoice {
  Device device;
  std::string reason;
};

// Reads "auto", "cpu", "cuda" or "cuda:1". "auto" takes the best usable device and says why;
// an explicit device that cannot be used throws DeviceError. UsageError on anything else.
DeviceChoice choose_device(std::string_view text);

}  // namespace mrcnn
