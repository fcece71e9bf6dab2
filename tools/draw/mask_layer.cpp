#include "tools/draw/mask_layer.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "data/masks/rle.h"

namespace mrcnn {
namespace {

// A part of the picture as counts; after smoothing a pixel holds a weighted number of mask pixels
// around it.
struct Field {
  PixelRect rect;
  std::vector<uint16_t> values;  // [height, width]

  uint16_t* row(int64_t y) { return values.data() + y * rect.width(); }
};

Field crop_mask(const Rle& mask, const PixelRect& rect) {
  Field field{rect, std::vector<uint16_t>(static_cast<size_t>(rect.area()), 0)};
  int64_t position = 0;
  for (size_t i = 0; i < mask.counts.size(); ++i) {
    const int64_t end = position + mask.counts[i];
    while (i % 2 == 1 && position < end) {
      const int64_t x = position / mask.height;
      const int64_t stop = std::min(end, (x + 1) * mask.height);
      for (int64_t y = position - x * mask.height; y < stop - x * mask.height; ++y) {
        field.row(y - rect.y0)[x - rect.x0] = 1;
      }
      position = stop;
    }
    position = end;
  }
  return field;
}

// Sums over 2 * radius + 1 neighbours along a line; the ends are continued, so that a mask cut by
// the border of the picture has no edge there.
void sum_along_rows(Field& field, int64_t radius) {
  const int64_t width = field.rect.width();
  std::vector<uint16_t> padded(static_cast<size_t>(width + 2 * radius + 1));
  for (int64_t y = 0; y < field.rect.height(); ++y) {
    uint16_t* row = field.row(y);
    std::fill_n(padded.begin(), radius, row[0]);
    std::copy_n(row, width, padded.begin() + radius);
    std::fill_n(padded.begin() + radius + width, radius + 1, row[width - 1]);
    int sum = 0;
    for (int64_t x = 0; x < 2 * radius; ++x) sum += padded[static_cast<size_t>(x)];
    for (int64_t x = 0; x < width; ++x) {
      sum += padded[static_cast<size_t>(x + 2 * radius)];
      row[x] = static_cast<uint16_t>(sum);
      sum -= padded[static_cast<size_t>(x)];
    }
  }
}

void sum_along_columns(Field& field, int64_t radius) {
  const int64_t width = field.rect.width();
  const int64_t height = field.rect.height();
  const auto clamped = [height](int64_t y) { return std::clamp<int64_t>(y, 0, height - 1); };
  Field source = field;
  std::vector<uint16_t> sums(static_cast<size_t>(width), 0);
  const auto add = [&](int64_t y, int sign) {
    const uint16_t* row = source.row(clamped(y));
    for (int64_t x = 0; x < width; ++x) {
      uint16_t& sum = sums[static_cast<size_t>(x)];
      sum = static_cast<uint16_t>(sum + sign * row[x]);
    }
  };
  for (int64_t y = -radius; y < radius; ++y) add(y, 1);
  for (int64_t y = 0; y < height; ++y) {
    add(y + radius, 1);
    std::copy(sums.begin(), sums.end(), field.row(y));
    add(y - radius, -1);
  }
}

void fill_area(Canvas& canvas, Field& mask, const RgbColour& colour, int opacity) {
  for (int64_t y = 0; y < mask.rect.height(); ++y) {
    const uint16_t* row = mask.row(y);
    for (int64_t x = 0; x < mask.rect.width(); ++x) {
      if (row[x] != 0) canvas.blend(mask.rect.y0 + y, mask.rect.x0 + x, colour, opacity);
    }
  }
}

// Two box filters of `window` pixels in each direction turn a straight edge into the integral of a
// triangle: at distance d <= window from it the share of mask pixels is 1/2 + d / window -
// d^2 / (2 window^2). Solved for d; negative outside.
float edge_distance(float share, float window) {
  const float off_edge = std::abs(share - 0.5F);
  return std::copysign(window * (1 - std::sqrt(std::max(0.0F, 1 - 2 * off_edge))), share - 0.5F);
}

void draw_contour(Canvas& canvas, Field field, const RgbColour& colour, int contour_width) {
  const int64_t radius = std::max(contour_width / 2, 1);
  const int64_t window = 2 * radius + 1;
  for (int pass = 0; pass < 2; ++pass) {
    sum_along_rows(field, radius);
    sum_along_columns(field, radius);
  }
  const auto full = static_cast<float>(window * window * window * window);
  std::vector<uint8_t> opacity_of(static_cast<size_t>(full) + 1);
  for (size_t count = 0; count < opacity_of.size(); ++count) {
    const float distance =
        edge_distance(static_cast<float>(count) / full, static_cast<float>(window));
    const float reach = static_cast<float>(contour_width) / 2 + 0.5F;
    const float part = std::clamp(reach - std::abs(distance), 0.0F, 1.0F);
    opacity_of[count] = static_cast<uint8_t>(std::lround(part * 255));
  }
  for (int64_t y = 0; y < field.rect.height(); ++y) {
    const uint16_t* row = field.row(y);
    for (int64_t x = 0; x < field.rect.width(); ++x) {
      const int opacity = opacity_of[row[x]];
      if (opacity > 0) canvas.blend(field.rect.y0 + y, field.rect.x0 + x, colour, opacity);
    }
  }
}

}  // namespace

void draw_mask(Canvas& canvas, const Rle& mask, const RgbColour& colour, const MaskStroke& stroke) {
  const PixelBox box = rle_bbox(mask);
  if (box.width == 0) return;
  const int contour_width = std::clamp(stroke.contour_width, 0, kMaxContourWidth);
  const int64_t margin = contour_width + 2;  // as far as the smoothing reaches
  const PixelRect wanted{box.y - margin, box.x - margin, box.y + box.height + margin,
                         box.x + box.width + margin};
  Field field = crop_mask(mask, wanted.intersect(canvas.bounds()));
  fill_area(canvas, field, colour, std::clamp(stroke.fill_opacity, 0, 255));
  if (contour_width > 0) draw_contour(canvas, std::move(field), colour, contour_width);
}

}  // namespace mrcnn
