// Divides the scratch memory of an implementation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mrcnn {

// Hands out 256-byte aligned parts of `memory`; without memory it only adds up their sizes.
class Workspace {
 public:
  explicit Workspace(void* memory) : memory_(static_cast<std::byte*>(memory)) {}

  template <typename T>
  T* take(int64_t count) {
    constexpr int64_t kAlignment = 256;
    const int64_t offset = bytes_;
    const int64_t size = count * static_cast<int64_t>(sizeof(T));
    bytes_ += (size + kAlignment - 1) / kAlignment * kAlignment;
    return memory_ == nullptr ? nullptr : static_cast<T*>(static_cast<void*>(memory_ + offset));
  }

  int64_t bytes() const { return bytes_; }

 private:
  std::byte* memory_;
  int64_t bytes_ = 0;
};

}  // namespace mrcnn
