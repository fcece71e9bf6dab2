// Device memory: one reserved range of addresses, inaccessible to host code.
#pragma once

#include <cstddef>
#include <string>

namespace emu {

// Null if the device is full. The memory holds poison until somebody writes it.
void* allocate_device(size_t bytes);
// False if the pointer is not the start of a live allocation.
bool release_device(void* pointer);
struct DeviceMemoryUse {
  size_t total, used, reserved;
};
DeviceMemoryUse device_memory_use();

bool in_device_memory(const void* address);
// "byte 1024 of an allocation of 1024 bytes", or what else is known.
std::string describe_address(const void* address);
// Null if the range lies in one live allocation, else what is wrong with it.
const char* range_problem(const void* begin, size_t bytes);

// Page-locked host memory, which kernels may touch and asynchronous copies read late.
void add_pinned(void* begin, size_t bytes);
bool remove_pinned(void* begin);
bool is_pinned(const void* begin, size_t bytes);

// While one exists, device memory is accessible: kernels, copies and host work of the device run.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};
// Takes the access away for a while: host code runs in the middle of device work.
class HostOnly {
 public:
  HostOnly();
  ~HostOnly();
  HostOnly(const HostOnly&) = delete;
  HostOnly& operator=(const HostOnly&) = delete;

 private:
  int depth_;
};

}  // namespace emu
