#include "core/cuda/division.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/shape/split_channels.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM on every GPU: full occupancy

// Moves units of up to 16 bytes, whatever they hold. A thread per unit of the input: neighbours
// read and, but for the border between the parts, write neighbouring units.
template <typename Unit>
__global__ void split_channels_kernel(int64_t items, int64_t first_units, int64_t second_units,
                                      const Unit* __restrict__ input, Unit* __restrict__ first,
                                      Unit* __restrict__ second) {
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const auto [pixel, unit] = divide(item, first_units + second_units);
    const Unit value = input[item];
    if (unit < first_units) {
      first[pixel * first_units + unit] = value;
    } else {
      second[pixel * second_units + unit - first_units] = value;
    }
  }
}

// A thread per unit of the whole.
template <typename Unit>
__global__ void place_channels_kernel(int64_t items, int64_t begin_units, int64_t part_units,
                                      int64_t pixel_units, const Unit* __restrict__ part,
                                      Unit* __restrict__ whole) {
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const auto [pixel, unit] = divide(item, pixel_units);
    const int64_t index = unit - begin_units;
    const bool is_inside = index >= 0 && index < part_units;
    whole[item] = is_inside ? part[pixel * part_units + index] : Unit{};
  }
}

// Calls f with a unit of the largest power of two bytes, at most 16, that `steps`, all distances
// and addresses or-ed together, is a multiple of: their lowest bit decides.
template <typename F>
void with_unit(uint64_t steps, const F& f) {
  if (steps % 16 == 0) return f(uint4{});
  if (steps % 8 == 0) return f(uint2{});
  if (steps % 4 == 0) return f(uint32_t{});
  if (steps % 2 == 0) return f(uint16_t{});
  return f(uint8_t{});
}

}  // namespace

void split_channels(int64_t pixels, int64_t first_bytes, int64_t second_bytes,
                    const std::byte* input, std::byte* first, std::byte* second, Stream stream) {
  const int64_t bytes = pixels * (first_bytes + second_bytes);
  if (bytes == 0) return;
  // The input may be a slice that starts anywhere.
  const uint64_t steps = static_cast<uint64_t>(first_bytes) | static_cast<uint64_t>(second_bytes) |
                         reinterpret_cast<uintptr_t>(input);
  with_unit(steps, [&]<typename Unit>(Unit) {
    constexpr auto kBytes = static_cast<int64_t>(sizeof(Unit));
    const int64_t items = bytes / kBytes;
    launch("split_channels", split_channels_kernel<Unit>,
           {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, items,
           first_bytes / kBytes, second_bytes / kBytes, reinterpret_cast<const Unit*>(input),
           reinterpret_cast<Unit*>(first), reinterpret_cast<Unit*>(second));
  });
}

void place_channels(int64_t pixels, int64_t begin_bytes, int64_t part_bytes, int64_t pixel_bytes,
                    const std::byte* part, std::byte* whole, Stream stream) {
  const int64_t bytes = pixels * pixel_bytes;
  if (bytes == 0) return;
  const uint64_t steps = static_cast<uint64_t>(begin_bytes) | static_cast<uint64_t>(part_bytes) |
                         static_cast<uint64_t>(pixel_bytes) | reinterpret_cast<uintptr_t>(part);
  with_unit(steps, [&]<typename Unit>(Unit) {
    constexpr auto kBytes = static_cast<int64_t>(sizeof(Unit));
    const int64_t items = bytes / kBytes;
    launch("place_channels", place_channels_kernel<Unit>,
           {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, items,
           begin_bytes / kBytes, part_bytes / kBytes, pixel_bytes / kBytes,
           reinterpret_cast<const Unit*>(part), reinterpret_cast<Unit*>(whole));
  });
}

}  // namespace mrcnn::cuda
