#include "tools/draw/bar_chart.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tools/draw/text.h"

namespace mrcnn {
namespace {

constexpr RgbColour kRed{255, 0, 0};
constexpr RgbColour kBlue{0, 0, 255};

int64_t count_colour(const Tensor& picture, const RgbColour& colour) {
  int64_t count = 0;
  for (int64_t i = 0; i < picture.numel(); i += 3) {
    const uint8_t* pixel = picture.data<const uint8_t>() + i;
    count += std::equal(colour.begin(), colour.end(), pixel);
  }
  return count;
}

Tensor white() {
  Tensor picture = Tensor::empty({200, 400, 3}, DType::kU8);
  std::fill_n(picture.data<uint8_t>(), picture.numel(), uint8_t{255});
  return picture;
}

const BarChart kChart{.title = "t",
                      .bars = {{"a", {30, 10}, "40"}, {"b", {0, 20}, "20"}, {"c", {0, 0}, "0"}},
                      .colours = {kRed, kBlue},
                      .parts = {}};

TEST_CASE("Areas of bars are in proportion to their parts") {
  for (const bool upright : {false, true}) {
    CAPTURE(upright);
    Tensor picture = white();
    Canvas canvas(picture);
    const PixelRect place{10, 10, 190, 390};
    if (upright) {
      draw_columns(canvas, place, kChart);
    } else {
      draw_bars(canvas, place, kChart);
    }
    const auto red = static_cast<double>(count_colour(picture, kRed));
    const auto blue = static_cast<double>(count_colour(picture, kBlue));
    CHECK(red > 100);
    CHECK(red / blue == doctest::Approx(1).epsilon(0.05));
  }
}

TEST_CASE("A chart without numbers is drawn") {
  Tensor picture = white();
  Canvas canvas(picture);
  draw_columns(canvas, {0, 0, 200, 400}, {.title = "none", .bars = {}, .colours = {}, .parts = {}});
  draw_bars(canvas, {0, 0, 200, 400}, {.title = "none", .bars = {}, .colours = {}, .parts = {}});
  CHECK(count_colour(picture, {255, 255, 255}) < 200 * 400);
}

TEST_CASE("Text is cut to its room between characters") {
  CHECK(fit_text("short", 1000, 1) == "short");
  const std::string cut = fit_text("a rather long name", 60, 1);
  CHECK(cut.ends_with(".."));
  CHECK(text_width(cut, 1) <= 60);
  CHECK(fit_text("\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4", 30, 1).find("\xC3.") ==
        std::string::npos);
}

}  // namespace
}  // namespace mrcnn
