// What fills the background and the figures of the shapes set: two colours mixed by a pattern, and
// noise on top.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/random.h"
#include "data/shapes/draw.h"

namespace mrcnn::shapes {

using Colour = std::array<double, 3>;  // red, green, blue, 0..255

struct Paint {
  enum class Pattern { kPlain, kGradient, kStripes, kClouds };

  Pattern pattern = Pattern::kPlain;
  Colour first{};
  Colour second{};
  double slope_x = 0;  // gradient and stripes: how fast the mix changes, per pixel
  double slope_y = 0;
  double offset = 0;            // the mix at pixel (0, 0)
  std::vector<double> lattice;  // clouds: kLatticeSide x kLatticeSide mixes, spread over the image
  double noise = 0;             // largest deviation of a channel
};

Paint draw_background(int64_t height, int64_t width, Draw& draw);
// Differs visibly from the background and from the fills of the figures below.
Paint draw_fill(const Paint& background, const std::vector<Paint>& fills, int64_t height,
                int64_t width, Draw& draw);

// Writes one pixel. Its noise depends on the stream and the position only.
void paint_pixel(const Paint& paint, int64_t y, int64_t x, int64_t height, int64_t width,
                 const RandomStream& stream, uint8_t* rgb);

}  // namespace mrcnn::shapes
