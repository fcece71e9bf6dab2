#include "tools/infer/instance_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "data/image/write.h"
#include "tools/infer/naming.h"

namespace mrcnn {
namespace {

using Palette = std::array<RgbColour, 256>;

// Spreads the bits of the index over the three channels, so that neighbours differ strongly and 0
// is black. Source: PASCAL VOC devkit, VOClabelcolormap.m.
Palette voc_palette() {
  Palette palette{};
  for (unsigned index = 0; index < palette.size(); ++index) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      const unsigned channel = bit % 3;
      const unsigned value = (index >> bit) & 1U;
      palette[index][channel] =
          static_cast<uint8_t>(palette[index][channel] | (value << (7 - bit / 3)));
    }
  }
  return palette;
}

}  // namespace

std::vector<uint16_t> instance_map(std::span<const Rle> masks, int64_t height, int64_t width) {
  if (masks.size() > 65535) {
    throw ShapeError(fmt::format("[instance_map] {} masks, at most 65535", masks.size()));
  }
  std::vector<uint16_t> map(static_cast<size_t>(height * width), 0);
  for (size_t i = masks.size(); i-- > 0;) {
    const Rle& mask = masks[i];
    if (mask.height != height || mask.width != width) {
      throw ShapeError(fmt::format("[instance_map] a mask of {}x{} in a picture of {}x{}",
                                   mask.height, mask.width, height, width));
    }
    int64_t position = 0;  // column by column: x * height + y
    bool foreground = false;
    for (const uint32_t run : mask.counts) {
      for (int64_t p = position; foreground && p < position + run; ++p) {
        map[static_cast<size_t>(p % height * width + p / height)] = static_cast<uint16_t>(i + 1);
      }
      position += run;
      foreground = !foreground;
    }
  }
  return map;
}

void InstancePictures::consume(const ImageResult& result) {
  const int64_t height = result.image.size(0);
  const int64_t width = result.image.size(1);
  const std::vector<uint16_t> map = instance_map(result.masks, height, width);
  const std::string path = make_picture_path(directory_, result.picture_name);
  if (result.masks.size() > 255) {
    write_png(path, {.height = height,
                     .width = width,
                     .format = PngFormat::kGray16,
                     .pixels = std::as_bytes(std::span(map))});
    return;
  }
  static const Palette kPalette = voc_palette();
  std::vector<uint8_t> bytes(map.size());
  std::transform(map.begin(), map.end(), bytes.begin(),
                 [](uint16_t id) { return static_cast<uint8_t>(id); });
  write_png(path, {.height = height,
                   .width = width,
                   .format = PngFormat::kPalette8,
                   .pixels = std::as_bytes(std::span(bytes)),
                   .palette = kPalette});
}

}  // namespace mrcnn
