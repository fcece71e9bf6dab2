#include "tools/draw/text.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tools/draw/font.h"

namespace mrcnn {
namespace {

constexpr RgbColour kWhite{255, 255, 255};

int64_t count_ink(const Tensor& image) {
  const auto values = image.span<uint8_t>();
  return std::count_if(values.begin(), values.end(), [](uint8_t v) { return v > 127; }) / 3;
}

TEST_CASE("EveryCharacterHasAGlyphOfItsOwn") {
  std::set<std::array<uint8_t, kGlyphHeight>> seen;
  for (char32_t character = 32; character < 127; ++character) {
    CAPTURE(static_cast<int>(character));
    const Glyph& glyph = find_glyph(character);
    CHECK(glyph.width >= 2);
    CHECK(glyph.width <= kMaxGlyphWidth);
    CHECK(seen.insert(glyph.rows).second);
    bool has_ink = false;
    for (int y = 0; y < kGlyphHeight; ++y) {
      for (int x = 0; x < kMaxGlyphWidth; ++x) has_ink |= glyph.ink(y, x);
      CHECK((glyph.rows[static_cast<size_t>(y)] >> glyph.width) == 0);
    }
    CHECK(has_ink == (character != U' '));
  }
  CHECK(find_glyph(0xE9).rows == find_glyph(0x4E00).rows);
  CHECK_FALSE(find_glyph('A').ink(-1, 0));
  CHECK_FALSE(find_glyph('A').ink(kGlyphHeight, 0));
}

TEST_CASE("WidthIsGlyphsAndGaps") {
  CHECK(text_width("", 1) == 0);
  CHECK(text_width("H", 1) == 6);
  CHECK(text_width("HH", 3) == 3 * (6 + 1 + 6));
  CHECK(text_width("\xC3\xA9", 1) == text_width("\xE4\xB8\x80", 1));  // one box each
  CHECK(text_height(2) == 24);
}

TEST_CASE("ScaleOneDrawsTheBitmapItself") {
  Tensor image = Tensor::zeros(Shape{14, 9, 3}, DType::kU8);
  Canvas canvas(image);
  draw_text(canvas, 1, 2, "k", 1, kWhite);
  for (int y = 0; y < 14; ++y) {
    for (int x = 0; x < 9; ++x) {
      const int expected = find_glyph('k').ink(y - 1, x - 2) ? 255 : 0;
      CHECK(image.data<uint8_t>()[3 * (y * 9 + x)] == expected);
    }
  }
}

TEST_CASE("LargerScalesKeepTheInk") {
  int64_t ink_at_one = 0;
  for (const int64_t scale : {1, 2, 5}) {
    Tensor image = Tensor::zeros(Shape{12 * scale, text_width("person 87%", scale), 3}, DType::kU8);
    Canvas canvas(image);
    draw_text(canvas, 0, 0, "person 87%", scale, kWhite);
    const int64_t ink = count_ink(image);
    if (scale == 1) ink_at_one = ink;
    const double ratio = static_cast<double>(ink) / static_cast<double>(ink_at_one * scale * scale);
    CHECK(ratio == doctest::Approx(1).epsilon(0.12));  // corners are rounded
  }
}

TEST_CASE("Edges: text beyond the picture is clipped") {
  Tensor image = Tensor::zeros(Shape{10, 10, 3}, DType::kU8);
  Canvas canvas(image);
  for (const int64_t offset : {-100, -6, 5, 100})
    draw_text(canvas, offset, offset, "WM", 2, kWhite);
  CHECK(count_ink(image) > 0);
}

}  // namespace
}  // namespace mrcnn
