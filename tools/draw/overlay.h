// overlay: a photo with the objects found in it drawn on top.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "core/rle.h"
#include "core/tensor.h"

namespace mrcnn {

struct OverlayStyle {
  float mask_alpha = 0.4F;  // opacity of the area, 0..1
  bool contours = true;
  bool boxes = true;
  bool labels = true;
  int64_t scale = 0;  // size of a font pixel and width of a box line; 0 takes it from the image
};

struct OverlayItem {
  Rle mask;                    // of the image's size, or without counts if there is none
  std::array<float, 4> box{};  // x1, y1, x2, y2, pixels; the mask's box is taken if it is empty
  int64_t label = 0;           // chooses the colour
  float score = 0;             // of two objects of one size the better one is drawn on top
  std::string text;            // of the label, e.g. "dog 87%"; none if empty
};

// Draws on a copy of image [H, W, 3] u8 RGB: each object in its class's colour, large ones first,
// so that small ones lie on top; labels above all. In a crowd a label that would hide much of
// another is left out, the smaller object's first. Throws ShapeError if a mask is not of the
// image's size. Deterministic: yes.
Tensor draw_overlay(const Tensor& image, std::span<const OverlayItem> items,
                    const OverlayStyle& style = {});

}  // namespace mrcnn
