#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "kernels/shape/split_channels.h"

namespace mrcnn::cpu {
namespace {

int64_t pixel_grain(int64_t pixel_bytes) {
  return std::max<int64_t>(1, 65536 / std::max<int64_t>(1, pixel_bytes));
}

}  // namespace

void split_channels(int64_t pixels, int64_t first_bytes, int64_t second_bytes,
                    const std::byte* input, std::byte* first, std::byte* second) {
  const int64_t pixel_bytes = first_bytes + second_bytes;
  parallel_for(0, pixels, pixel_grain(pixel_bytes), [&](int64_t begin, int64_t end) {
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      const std::byte* source = input + pixel * pixel_bytes;
      std::memcpy(first + pixel * first_bytes, source, static_cast<size_t>(first_bytes));
      std::memcpy(second + pixel * second_bytes, source + first_bytes,
                  static_cast<size_t>(second_bytes));
    }
  });
}

void place_channels(int64_t pixels, int64_t begin_bytes, int64_t part_bytes, int64_t pixel_bytes,
                    const std::byte* part, std::byte* whole) {
  const int64_t end_bytes = begin_bytes + part_bytes;
  parallel_for(0, pixels, pixel_grain(pixel_bytes), [&](int64_t begin, int64_t end) {
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      std::byte* target = whole + pixel * pixel_bytes;
      std::memset(target, 0, static_cast<size_t>(begin_bytes));
      std::memcpy(target + begin_bytes, part + pixel * part_bytes, static_cast<size_t>(part_bytes));
      std::memset(target + end_bytes, 0, static_cast<size_t>(pixel_bytes - end_bytes));
    }
  });
}

}  // namespace mrcnn::cpu
