#include "tools/draw/text.h"

#include <cmath>

#include "tools/draw/font.h"

namespace mrcnn {
namespace {

// Calls visit(glyph) for each code point. The font has ASCII only, so of a longer UTF-8 sequence
// just the beginning matters: it becomes one box.
template <typename F>
void for_each_glyph(std::string_view text, F&& visit) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool continues = (byte & 0xC0U) == 0x80;
    if (!continues) visit(find_glyph(byte));
  }
}

// How much of pixel (y, x) of the enlarged glyph is ink, 0..1.
float coverage(const Glyph& glyph, int64_t y, int64_t x, int64_t scale) {
  const auto size = static_cast<float>(scale);
  const float source_y = (static_cast<float>(y) + 0.5F) / size - 0.5F;
  const float source_x = (static_cast<float>(x) + 0.5F) / size - 0.5F;
  const int y0 = static_cast<int>(std::floor(source_y));
  const int x0 = static_cast<int>(std::floor(source_x));
  const float weight_y = source_y - static_cast<float>(y0);
  const float weight_x = source_x - static_cast<float>(x0);
  const auto ink = [&glyph](int row, int column) { return glyph.ink(row, column) ? 1.0F : 0.0F; };
  const float upper = ink(y0, x0) * (1 - weight_x) + ink(y0, x0 + 1) * weight_x;
  const float lower = ink(y0 + 1, x0) * (1 - weight_x) + ink(y0 + 1, x0 + 1) * weight_x;
  const float value = upper * (1 - weight_y) + lower * weight_y;
  return std::clamp((value - 0.5F) * size + 0.5F, 0.0F, 1.0F);
}

}  // namespace

int64_t text_width(std::string_view text, int64_t scale) {
  int64_t columns = 0;
  for_each_glyph(text, [&columns](const Glyph& glyph) { columns += glyph.width + kGlyphGap; });
  return std::max<int64_t>(columns - kGlyphGap, 0) * scale;
}

int64_t text_height(int64_t scale) { return kGlyphHeight * scale; }

void draw_text(Canvas& canvas, int64_t y, int64_t x, std::string_view text, int64_t scale,
               const RgbColour& colour) {
  for_each_glyph(text, [&](const Glyph& glyph) {
    const PixelRect cell{y, x, y + kGlyphHeight * scale, x + glyph.width * scale};
    const PixelRect inside = cell.intersect(canvas.bounds());
    for (int64_t row = inside.y0; row < inside.y1; ++row) {
      for (int64_t column = inside.x0; column < inside.x1; ++column) {
        const float part = coverage(glyph, row - y, column - x, scale);
        canvas.blend(row, column, colour, static_cast<int>(std::lround(part * 255)));
      }
    }
    x += (glyph.width + kGlyphGap) * scale;
  });
}

}  // namespace mrcnn
