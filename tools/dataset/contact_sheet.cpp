#include "tools/dataset/contact_sheet.h"

#include <algorithm>
#include <cmath>

#include "tools/draw/bar_chart.h"
#include "tools/draw/canvas.h"
#include "tools/draw/text.h"

namespace mrcnn {
namespace {

constexpr int64_t kGap = 12;
constexpr int64_t kCaption = 20;
constexpr int64_t kStepY = kTileHeight + kCaption + kGap;
constexpr int64_t kStepX = kTileWidth + kGap;
constexpr RgbColour kMat{238, 241, 245};
constexpr RgbColour kInk{60, 66, 76};

void paste(Tensor& sheet, const Tensor& picture, int64_t y, int64_t x) {
  const int64_t row_bytes = 3 * picture.size(1);
  for (int64_t row = 0; row < picture.size(0); ++row) {
    std::copy_n(picture.data<const uint8_t>() + row * row_bytes, row_bytes,
                sheet.data<uint8_t>() + 3 * ((y + row) * sheet.size(1) + x));
  }
}

}  // namespace

Tensor draw_contact_sheet(std::span<const Tile> tiles, int64_t columns) {
  const auto count = static_cast<int64_t>(tiles.size());
  if (columns == 0) {
    const double square = std::sqrt(static_cast<double>(count * kStepY) / kStepX);
    columns = static_cast<int64_t>(std::ceil(square));
  }
  columns = std::clamp<int64_t>(columns, 1, std::max<int64_t>(count, 1));
  const int64_t rows = (count + columns - 1) / columns;
  Tensor sheet = Tensor::empty({kGap + rows * kStepY, kGap + columns * kStepX, 3}, DType::kU8);
  std::fill_n(sheet.data<uint8_t>(), sheet.numel(), uint8_t{255});
  Canvas canvas(sheet);
  for (int64_t k = 0; k < count; ++k) {
    const Tile& tile = tiles[static_cast<size_t>(k)];
    const int64_t y = kGap + k / columns * kStepY;
    const int64_t x = kGap + k % columns * kStepX;
    canvas.fill({y, x, y + kTileHeight, x + kTileWidth}, kMat, 255);
    paste(sheet, tile.picture, y + (kTileHeight - tile.picture.size(0)) / 2,
          x + (kTileWidth - tile.picture.size(1)) / 2);
    const std::string caption = fit_text(tile.caption, kTileWidth, 1);
    draw_text(canvas, y + kTileHeight + 4, x, caption, 1, kInk);
  }
  return sheet;
}

}  // namespace mrcnn
