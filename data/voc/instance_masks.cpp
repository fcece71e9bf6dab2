#include "data/voc/instance_masks.h"

#include <array>
#include <utility>

namespace mrcnn {

std::vector<Rle> voc_instance_masks(const Tensor& indices) {
  constexpr uint8_t kVoid = 255;
  const int64_t height = indices.size(0);
  const int64_t width = indices.size(1);
  const uint8_t* pixels = indices.data<const uint8_t>();
  std::array<Rle, kVoid> masks{};
  std::array<int64_t, kVoid> written{};  // pixels that the runs of each mask cover
  const auto add_run = [&](uint8_t number, int64_t begin, int64_t end) {
    if (number == 0 || number == kVoid) return;
    std::vector<uint32_t>& counts = masks[number].counts;
    counts.push_back(static_cast<uint32_t>(begin - written[number]));
    counts.push_back(static_cast<uint32_t>(end - begin));
    written[number] = end;
  };
  int64_t run_begin = 0;
  uint8_t run_number = pixels[0];
  for (int64_t x = 0; x < width; ++x) {
    for (int64_t y = 0; y < height; ++y) {
      const uint8_t number = pixels[y * width + x];
      if (number == run_number) continue;
      add_run(run_number, run_begin, x * height + y);
      run_begin = x * height + y;
      run_number = number;
    }
  }
  add_run(run_number, run_begin, height * width);

  std::vector<Rle> present;
  for (size_t number = 1; number < kVoid; ++number) {
    Rle& mask = masks[number];
    if (mask.counts.empty()) continue;
    mask.height = height;
    mask.width = width;
    if (written[number] < height * width) {
      mask.counts.push_back(static_cast<uint32_t>(height * width - written[number]));
    }
    present.push_back(std::move(mask));
  }
  return present;
}

}  // namespace mrcnn
