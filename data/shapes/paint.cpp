#include "data/shapes/paint.h"

#include <algorithm>
#include <cmath>

namespace mrcnn::shapes {
namespace {

constexpr int64_t kLatticeSide = 6;

Colour draw_colour(Draw& draw) {
  return {draw.between(0, 255), draw.between(0, 255), draw.between(0, 255)};
}

Colour draw_near(const Colour& colour, double reach, Draw& draw) {
  Colour result{};
  for (size_t c = 0; c < 3; ++c) {
    result[c] = std::clamp(colour[c] + draw.between(-reach, reach), 0.0, 255.0);
  }
  return result;
}

Colour mix(const Colour& first, const Colour& second, double share) {
  Colour result{};
  for (size_t c = 0; c < 3; ++c) result[c] = first[c] + share * (second[c] - first[c]);
  return result;
}

double distance(const Colour& a, const Colour& b) {
  double sum = 0;
  for (size_t c = 0; c < 3; ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
  return std::sqrt(sum);
}

// How far the colours of two paints are apart, at five mixes of each.
double contrast(const Paint& a, const Paint& b) {
  double least = 1e9;
  for (int i = 0; i <= 4; ++i) {
    for (int j = 0; j <= 4; ++j) {
      least = std::min(
          least, distance(mix(a.first, a.second, 0.25 * i), mix(b.first, b.second, 0.25 * j)));
    }
  }
  return least;
}

void draw_slopes(Paint& paint, double length, Draw& draw) {
  const double x = draw.between(-1, 1);
  const double y = draw.between(-1, 1);
  const double size = std::max(std::abs(x) + std::abs(y), 0.1);
  paint.slope_x = x / size / length;
  paint.slope_y = y / size / length;
}

void draw_pattern(Paint& paint, int64_t height, int64_t width, Draw& draw) {
  const auto side = static_cast<double>(std::min(height, width));
  if (paint.pattern == Paint::Pattern::kGradient) {
    draw_slopes(paint, side, draw);
    paint.offset = 0.5 - 0.5 * (paint.slope_x * static_cast<double>(width) +
                                paint.slope_y * static_cast<double>(height));
  }
  if (paint.pattern == Paint::Pattern::kStripes) {
    draw_slopes(paint, side * draw.between(0.06, 0.2), draw);
  }
  if (paint.pattern == Paint::Pattern::kClouds) {
    for (int64_t i = 0; i < kLatticeSide * kLatticeSide; ++i) {
      paint.lattice.push_back(draw.uniform());
    }
  }
}

double cloud_at(const Paint& paint, double y, double x) {
  const auto row = std::min(static_cast<int64_t>(y), kLatticeSide - 2);
  const auto column = std::min(static_cast<int64_t>(x), kLatticeSide - 2);
  const auto at = [&paint](int64_t i, int64_t j) {
    return paint.lattice[static_cast<size_t>(i * kLatticeSide + j)];
  };
  const double down = y - static_cast<double>(row);
  const double right = x - static_cast<double>(column);
  const double above = at(row, column) + right * (at(row, column + 1) - at(row, column));
  const double below =
      at(row + 1, column) + right * (at(row + 1, column + 1) - at(row + 1, column));
  return above + down * (below - above);
}

double share_at(const Paint& paint, int64_t y, int64_t x, int64_t height, int64_t width) {
  const double ramp = paint.offset + paint.slope_x * (static_cast<double>(x) + 0.5) +
                      paint.slope_y * (static_cast<double>(y) + 0.5);
  switch (paint.pattern) {
    case Paint::Pattern::kGradient:
      return std::clamp(ramp, 0.0, 1.0);
    case Paint::Pattern::kStripes:
      return ramp - std::floor(ramp) < 0.5 ? 0 : 1;
    case Paint::Pattern::kClouds: {
      constexpr double kCells = static_cast<double>(kLatticeSide - 1);
      return cloud_at(paint, kCells * (static_cast<double>(y) + 0.5) / static_cast<double>(height),
                      kCells * (static_cast<double>(x) + 0.5) / static_cast<double>(width));
    }
    default:
      return 0;
  }
}

}  // namespace

Paint draw_background(int64_t height, int64_t width, Draw& draw) {
  Paint paint;
  paint.pattern = static_cast<Paint::Pattern>(draw.below(4));
  paint.first = draw_colour(draw);
  paint.second = draw_near(paint.first, 90, draw);
  draw_pattern(paint, height, width, draw);
  paint.noise = draw.between(0, 25);
  return paint;
}

Paint draw_fill(const Paint& background, const std::vector<Paint>& fills, int64_t height,
                int64_t width, Draw& draw) {
  // Enough for a border that can be seen through the strongest noise; the best of the tries is
  // taken where a crowded picture leaves no such colour.
  constexpr double kEnough = 80;
  constexpr int kTries = 24;
  Paint best;
  double best_contrast = -1;
  for (int i = 0; i < kTries && best_contrast < kEnough; ++i) {
    Paint paint;
    paint.first = draw_colour(draw);
    paint.second = draw_near(paint.first, 35, draw);
    double least = contrast(paint, background);
    for (const Paint& other : fills) least = std::min(least, contrast(paint, other));
    if (least > best_contrast) {
      best_contrast = least;
      best = paint;
    }
  }
  best.pattern = static_cast<Paint::Pattern>(draw.below(3));
  draw_pattern(best, height, width, draw);
  best.noise = draw.between(0, 15);
  return best;
}

void paint_pixel(const Paint& paint, int64_t y, int64_t x, int64_t height, int64_t width,
                 const RandomStream& stream, uint8_t* rgb) {
  constexpr uint64_t kFirstNoiseBlock = uint64_t{1} << 40;  // far behind what `Draw` uses
  const std::array<uint32_t, 4> words =
      stream.block(kFirstNoiseBlock + static_cast<uint64_t>(y * width + x));
  const Colour colour = mix(paint.first, paint.second, share_at(paint, y, x, height, width));
  for (size_t c = 0; c < 3; ++c) {
    const double deviation = 2 * static_cast<double>(words[c] >> 8) * 0x1p-24 - 1;
    const double value = colour[c] + paint.noise * deviation;
    rgb[c] = static_cast<uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0));
  }
}

}  // namespace mrcnn::shapes
