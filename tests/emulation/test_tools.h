// What the tests of the emulated device share.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/emulation/include/cuda_runtime_api.h"

namespace emu::test {

// Device memory with the values of a host vector, or with none.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(size_t count) : count_(count) {
    REQUIRE(cudaMalloc(&data_, count * sizeof(T)) == cudaSuccess);
  }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    const cudaError_t status =
        cudaMemcpy(data_, values.data(), count_ * sizeof(T), cudaMemcpyHostToDevice);
    REQUIRE(status == cudaSuccess);
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() const { return data_; }
  // Waits for the whole device.
  std::vector<T> values() const {
    std::vector<T> values(count_);
    CHECK(cudaDeviceSynchronize() == cudaSuccess);
    CHECK(cudaMemcpy(values.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost) ==
          cudaSuccess);
    return values;
  }

 private:
  T* data_ = nullptr;
  size_t count_;
};

inline bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

}  // namespace emu::test
