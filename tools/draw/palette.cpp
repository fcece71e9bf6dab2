#include "tools/draw/palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace mrcnn {
namespace {

uint8_t encode_srgb(double linear) {
  const double clipped = std::clamp(linear, 0.0, 1.0);
  const double encoded =
      clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * std::pow(clipped, 1 / 2.4) - 0.055;
  return static_cast<uint8_t>(std::lround(255 * encoded));
}

double decode_srgb(uint8_t value) {
  const double encoded = value / 255.0;
  return encoded <= 0.04045 ? encoded / 12.92 : std::pow((encoded + 0.055) / 1.055, 2.4);
}

// Lightness 0..1, chroma, hue in turns. Source: B. Ottosson, "A perceptual color space for image
// processing", 2020 (OKLab to linear sRGB).
RgbColour from_oklch(double lightness, double chroma, double hue) {
  const double angle = 2 * std::numbers::pi * hue;
  const double a = chroma * std::cos(angle);
  const double b = chroma * std::sin(angle);
  const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  return {encode_srgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
          encode_srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
          encode_srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

}  // namespace

RgbColour class_colour(int64_t label) {
  constexpr double kGoldenRatio = 0.6180339887498949;
  constexpr double kFirstHue = 0.02;  // class 1, a person in COCO, becomes a blue unlike any skin
  constexpr std::array<double, 3> kLightness{0.74, 0.66, 0.82};
  constexpr double kChroma = 0.18;
  const auto index = static_cast<double>(label % 1'000'000);
  const double turns = kFirstHue + index * kGoldenRatio;
  const auto step = static_cast<size_t>((label % 3 + 3) % 3);
  return from_oklch(kLightness[step], kChroma, turns - std::floor(turns));
}

RgbColour readable_on(const RgbColour& ground) {
  const double luminance = 0.2126 * decode_srgb(ground[0]) + 0.7152 * decode_srgb(ground[1]) +
                           0.0722 * decode_srgb(ground[2]);
  const double contrast_white = 1.05 / (luminance + 0.05);
  const double contrast_black = (luminance + 0.05) / 0.05;
  return contrast_black >= contrast_white ? RgbColour{0, 0, 0} : RgbColour{255, 255, 255};
}

}  // namespace mrcnn
