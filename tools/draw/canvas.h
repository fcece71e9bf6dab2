// Pixels to draw on, with colours blended by opacity. Coordinates outside are clipped.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/tensor.h"
#include "data/image/write.h"

namespace mrcnn {

// Pixels [y0, y1) x [x0, x1).
struct PixelRect {
  int64_t y0 = 0;
  int64_t x0 = 0;
  int64_t y1 = 0;
  int64_t x1 = 0;

  int64_t height() const { return std::max<int64_t>(y1 - y0, 0); }
  int64_t width() const { return std::max<int64_t>(x1 - x0, 0); }
  int64_t area() const { return height() * width(); }
  PixelRect intersect(const PixelRect& other) const {
    return {std::max(y0, other.y0), std::max(x0, other.x0), std::min(y1, other.y1),
            std::min(x1, other.x1)};
  }
};

class Canvas {
 public:
  explicit Canvas(Tensor& image)  // [H, W, 3] u8 RGB
      : pixels_(image.data<uint8_t>()), height_(image.size(0)), width_(image.size(1)) {}

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  PixelRect bounds() const { return {0, 0, height_, width_}; }

  // opacity 0..255. The pixel must lie inside.
  void blend(int64_t y, int64_t x, const RgbColour& colour, int opacity) {
    uint8_t* pixel = pixels_ + 3 * (y * width_ + x);
    for (size_t c = 0; c < 3; ++c) {
      const int mixed = pixel[c] * (255 - opacity) + colour[c] * opacity;
      pixel[c] = static_cast<uint8_t>((mixed + 127) / 255);
    }
  }
  void fill(const PixelRect& rect, const RgbColour& colour, int opacity) {
    const PixelRect inside = rect.intersect(bounds());
    for (int64_t y = inside.y0; y < inside.y1; ++y) {
      for (int64_t x = inside.x0; x < inside.x1; ++x) blend(y, x, colour, opacity);
    }
  }

 private:
  uint8_t* pixels_;
  int64_t height_;
  int64_t width_;
};

}  // namespace mrcnn
