#include "tools/draw/overlay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "core/error.h"
#include "data/masks/rle.h"
#include "tools/draw/canvas.h"
#include "tools/draw/label_layout.h"
#include "tools/draw/mask_layer.h"
#include "tools/draw/palette.h"
#include "tools/draw/text.h"

namespace mrcnn {
namespace {

void check(const Tensor& image, std::span<const OverlayItem> items) {
  if (image.rank() != 3 || image.size(2) != 3 || image.dtype() != DType::kU8 ||
      image.numel() == 0) {
    throw ShapeError("[draw_overlay] wants an image [H,W,3] u8, not " + image.describe());
  }
  for (size_t i = 0; i < items.size(); ++i) {
    const Rle& mask = items[i].mask;
    if (!mask.counts.empty() && (mask.height != image.size(0) || mask.width != image.size(1))) {
      throw ShapeError(fmt::format("[draw_overlay] mask {} is {}x{} but the image {}", i,
                                   mask.width, mask.height, image.describe()));
    }
  }
}

// A font pixel is one pixel on a picture of 640x480, two on one of full HD, six on 12 megapixels.
int64_t choose_scale(const Canvas& canvas, int64_t wanted) {
  if (wanted > 0) return std::min<int64_t>(wanted, kMaxContourWidth / 2);
  const double side = std::sqrt(static_cast<double>(canvas.height() * canvas.width()));
  return std::clamp<int64_t>(std::lround(side / 620), 1, kMaxContourWidth / 2);
}

// The object's pixels: its box if that is usable, else the box of its mask.
PixelRect object_rect(const OverlayItem& item, const PixelRect& picture) {
  const auto [x1, y1, x2, y2] = item.box;
  const auto pixel = [](float value, int64_t limit) {
    return static_cast<int64_t>(std::lround(std::clamp(value, 0.0F, static_cast<float>(limit))));
  };
  if (x2 > x1 && y2 > y1) {  // false for NaN
    return {pixel(y1, picture.y1), pixel(x1, picture.x1), pixel(y2, picture.y1),
            pixel(x2, picture.x1)};
  }
  const PixelBox box = rle_bbox(item.mask);
  return {box.y, box.x, box.y + box.height, box.x + box.width};
}

void draw_box(Canvas& canvas, const PixelRect& box, const RgbColour& colour, int64_t line) {
  constexpr int kOpacity = 190;
  if (box.area() == 0) return;
  // Four bars that do not overlap, so that the corners are not darker.
  const int64_t inner_top = std::min(box.y0 + line, box.y1);
  const int64_t inner_bottom = std::max(box.y1 - line, inner_top);
  canvas.fill({box.y0, box.x0, inner_top, box.x1}, colour, kOpacity);
  canvas.fill({inner_bottom, box.x0, box.y1, box.x1}, colour, kOpacity);
  const int64_t inner_left = std::min(box.x0 + line, box.x1);
  const int64_t inner_right = std::max(box.x1 - line, inner_left);
  canvas.fill({inner_top, box.x0, inner_bottom, inner_left}, colour, kOpacity);
  canvas.fill({inner_top, inner_right, inner_bottom, box.x1}, colour, kOpacity);
}

// Small objects on a large picture get smaller letters.
int64_t label_scale(const PixelRect& object, const Canvas& canvas, int64_t scale) {
  const double side = std::sqrt(static_cast<double>(canvas.height() * canvas.width()));
  const bool is_small = static_cast<double>(object.height()) < 0.1 * side;
  return is_small ? std::max<int64_t>(1, scale * 2 / 3) : scale;
}

void draw_label(Canvas& canvas, const PixelRect& place, const std::string& text, int64_t scale,
                const RgbColour& colour) {
  constexpr int kOpacity = 230;
  canvas.fill(place, colour, kOpacity);
  draw_text(canvas, place.y0 + 2 * scale, place.x0 + 2 * scale, text, scale, readable_on(colour));
}

}  // namespace

Tensor draw_overlay(const Tensor& image, std::span<const OverlayItem> items,
                    const OverlayStyle& style) {
  check(image, items);
  Tensor result = image.clone();
  Canvas canvas(result);
  const int64_t scale = choose_scale(canvas, style.scale);
  const MaskStroke stroke{
      .fill_opacity = static_cast<int>(std::lround(std::clamp(style.mask_alpha, 0.0F, 1.0F) * 255)),
      .contour_width = style.contours ? static_cast<int>(scale + (scale + 1) / 2) : 0};

  std::vector<PixelRect> rects;
  for (const OverlayItem& item : items) rects.push_back(object_rect(item, canvas.bounds()));
  std::vector<size_t> order(items.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (rects[a].area() != rects[b].area()) return rects[a].area() > rects[b].area();
    return items[a].score < items[b].score;
  });

  std::vector<LabelRequest> labels;
  for (const size_t i : order) {
    const RgbColour colour = class_colour(items[i].label);
    draw_mask(canvas, items[i].mask, colour, stroke);
    if (style.boxes) draw_box(canvas, rects[i], colour, scale);
    LabelRequest label{.object = rects[i]};
    if (style.labels && !items[i].text.empty()) {
      const int64_t size = label_scale(rects[i], canvas, scale);
      label.height = text_height(size) + 2 * size;  // the descender's rows are the lower margin
      label.width = text_width(items[i].text, size) + 4 * size;
    }
    labels.push_back(label);
  }
  const auto places = place_labels(labels, canvas.bounds());
  for (size_t k = 0; k < order.size(); ++k) {
    if (!places[k]) continue;
    const OverlayItem& item = items[order[k]];
    draw_label(canvas, *places[k], item.text, label_scale(labels[k].object, canvas, scale),
               class_colour(item.label));
  }
  return result;
}

}  // namespace mrcnn
