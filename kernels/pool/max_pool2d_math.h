// Which windows cover a pixel; shared by the CPU and GPUs.
#pragma once

#include <cstdint>

#include "core/host_device.h"

namespace mrcnn {

struct IndexRange {
  int64_t begin = 0;
  int64_t end = 0;
};

// Along one axis: the windows, of `count` in all, that pixel `index` lies in.
HOST_DEVICE inline IndexRange windows_over(int64_t index, int64_t kernel, int64_t stride,
                                           int64_t padding, int64_t count) {
  const int64_t last_start = index + padding;           // of a window that begins at the pixel
  const int64_t first_start = last_start - kernel + 1;  // of one that ends there
  const int64_t begin = first_start <= 0 ? 0 : (first_start + stride - 1) / stride;
  const int64_t end = last_start / stride + 1;
  return {begin, end < count ? end : count};
}

}  // namespace mrcnn
