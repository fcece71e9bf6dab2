#include "kernels/image/resize_normalize_pad.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "resize_normalize_pad";
// Beyond this f32 coordinates lose half pixels.
constexpr int64_t kMaxSide = int64_t{1} << 22;

void check_image(const Tensor& image, const ImageSize& size) {
  require_cpu(kOp, {&image});
  if (!image.defined() || image.rank() != 3 || image.size(2) != 3 || image.numel() == 0 ||
      std::max(image.size(0), image.size(1)) > kMaxSide) {
    throw ShapeError(fmt::format("[{}] image must be [H, W, 3] with sides 1 to {}: {}", kOp,
                                 kMaxSide, image.describe()));
  }
  if (image.dtype() != DType::kU8) {
    throw DTypeError(fmt::format("[{}] image must be u8: {}", kOp, image.describe()));
  }
  if (std::min(size.height, size.width) < 1 || std::max(size.height, size.width) > kMaxSide) {
    throw ShapeError(fmt::format("[{}] image cannot be resized to {}x{}, sides must be 1 to {}: {}",
                                 kOp, size.height, size.width, kMaxSide, image.describe()));
  }
}

void check_params(const ResizeNormalizePadParams& params) {
  const bool has_zero_std =
      std::any_of(params.std.begin(), params.std.end(), [](float std) { return !(std > 0); });
  if (!(params.divisor > 0) || has_zero_std || params.size_divisor < 1) {
    throw UsageError(fmt::format(
        "[{}] divisor {}, std {} {} {} and size_divisor {} must be positive", kOp, params.divisor,
        params.std[0], params.std[1], params.std[2], params.size_divisor));
  }
}

ImageSize padded_size(std::span<const ImageSize> sizes, int64_t divisor) {
  ImageSize largest;
  for (const ImageSize& size : sizes) {
    largest.height = std::max(largest.height, size.height);
    largest.width = std::max(largest.width, size.width);
  }
  const auto round_up = [divisor](int64_t side) {
    return (side + divisor - 1) / divisor * divisor;
  };
  return {.height = round_up(largest.height), .width = round_up(largest.width)};
}

PixelTable make_table(const ResizeNormalizePadParams& params) {
  PixelTable table{};
  for (size_t c = 0; c < 3; ++c) {
    table.input_channel[c] =
        static_cast<int64_t>(params.pixel_order == PixelOrder::kRgb ? c : 2 - c);
    for (size_t value = 0; value < 256; ++value) {
      const float scaled = static_cast<float>(value) / params.divisor;
      table.normalized[c][value] = (scaled - params.mean[c]) / params.std[c];
    }
  }
  return table;
}

}  // namespace

Tensor resize_normalize_pad(std::span<const Tensor> images, std::span<const ImageSize> sizes,
                            const ResizeNormalizePadParams& params) {
  if (images.empty() || images.size() != sizes.size()) {
    throw ShapeError(fmt::format("[{}] {} images but {} sizes", kOp, images.size(), sizes.size()));
  }
  for (size_t i = 0; i < images.size(); ++i) check_image(images[i], sizes[i]);
  check_params(params);
  const ImageSize padded = padded_size(sizes, params.size_divisor);
  const PixelTable table = make_table(params);
  Tensor batch =
      Tensor::empty({static_cast<int64_t>(images.size()), padded.height, padded.width, 3});
  for (size_t i = 0; i < images.size(); ++i) {
    const ResizeGeometry geometry{
        .input = {.height = images[i].size(0), .width = images[i].size(1)},
        .resized = sizes[i],
        .padded = padded};
    const int64_t offset = static_cast<int64_t>(i) * padded.height * padded.width * 3;
    cpu::resize_normalize_pad(geometry, table, images[i].data<const uint8_t>(),
                              batch.data<float>() + offset);
  }
  return batch;
}

}  // namespace mrcnn
