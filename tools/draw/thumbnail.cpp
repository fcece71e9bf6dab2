#include "tools/draw/thumbnail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"

namespace mrcnn {
namespace {

using Mean = std::array<uint8_t, 3>;

Mean mean_colour(const Tensor& image, const PixelRect& part) {
  std::array<int64_t, 3> sums{};
  for (int64_t y = part.y0; y < part.y1; ++y) {
    const uint8_t* pixel = image.data<const uint8_t>() + 3 * (y * image.size(1) + part.x0);
    for (int64_t x = part.x0; x < part.x1; ++x, pixel += 3) {
      for (size_t c = 0; c < 3; ++c) sums[c] += pixel[c];
    }
  }
  Mean mean{};
  for (size_t c = 0; c < 3; ++c) {
    mean[c] = static_cast<uint8_t>((sums[c] + part.area() / 2) / part.area());
  }
  return mean;
}

}  // namespace

Tensor thumbnail(const Tensor& image, const PixelRect& part, int64_t most_side) {
  const PixelRect all{0, 0, image.size(0), image.size(1)};
  if (part.area() == 0 || part.intersect(all).area() != part.area() || most_side < 1) {
    throw ShapeError(fmt::format("[thumbnail] no part [{}, {}) x [{}, {}) of {}", part.y0, part.y1,
                                 part.x0, part.x1, image.describe()));
  }
  const int64_t longer = std::max(part.height(), part.width());
  const int64_t side = std::min(longer, most_side);
  const int64_t height = std::max<int64_t>(part.height() * side / longer, 1);
  const int64_t width = std::max<int64_t>(part.width() * side / longer, 1);
  Tensor small = Tensor::empty({height, width, 3}, DType::kU8);
  uint8_t* out = small.data<uint8_t>();
  for (int64_t y = 0; y < height; ++y) {
    const int64_t y0 = part.y0 + y * part.height() / height;
    const int64_t y1 = part.y0 + (y + 1) * part.height() / height;
    for (int64_t x = 0; x < width; ++x) {
      const PixelRect covered{y0, part.x0 + x * part.width() / width, y1,
                              part.x0 + (x + 1) * part.width() / width};
      for (const uint8_t value : mean_colour(image, covered)) *out++ = value;
    }
  }
  return small;
}

}  // namespace mrcnn
