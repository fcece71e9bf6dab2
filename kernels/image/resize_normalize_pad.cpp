#include "kernels/image/resize_normalize_pad.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "resize_normalize_pad";
// Beyond this f32 coordinates lose half pixels.
constexpr int64_t kMaxSide = int64_t{1} << 22;

// What of the photo is seen lies on it, after it was resized.
void check_placement(const ImagePlacement& p) {
  const bool rows_fit =
      p.visible.height >= 1 && p.crop_top >= 0 && p.crop_top <= p.resized.height - p.visible.height;
  const bool columns_fit =
      p.visible.width >= 1 && p.crop_left >= 0 && p.crop_left <= p.resized.width - p.visible.width;
  if (!rows_fit || !columns_fit) {
    throw ShapeError(fmt::format("[{}] {}x{} pixels from ({}, {}) are not in an image of {}x{}",
                                 kOp, p.visible.height, p.visible.width, p.crop_top, p.crop_left,
                                 p.resized.height, p.resized.width));
  }
}

void check_image(const Tensor& image, const ImageSize& size) {
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

void check_inputs(std::span<const Tensor> images, std::span<const ImagePlacement> placements,
                  const ResizeNormalizePadParams& params) {
  if (images.empty() || images.size() != placements.size()) {
    throw ShapeError(
        fmt::format("[{}] {} images but {} sizes", kOp, images.size(), placements.size()));
  }
  for (size_t i = 0; i < images.size(); ++i) {
    check_image(images[i], placements[i].resized);
    check_placement(placements[i]);
  }
  check_params(params);
}

void check_channels(int64_t channels) {
  if (channels != 3 && channels != 4 && channels != 8) {
    throw UsageError(fmt::format("[{}] a batch has 3, 4 or 8 channels, not {}", kOp, channels));
  }
}

void check_dtype(DType dtype) {
  if (dtype != DType::kF32 && dtype != DType::kBF16) {
    throw DTypeError(fmt::format("[{}] a batch is f32 or bf16, not {}", kOp, dtype_name(dtype)));
  }
}

std::vector<ImagePlacement> whole_images(std::span<const ImageSize> sizes) {
  std::vector<ImagePlacement> placements;
  for (const ImageSize& size : sizes) placements.push_back(ImagePlacement::whole(size));
  return placements;
}

ImageSize largest_size(std::span<const ImagePlacement> placements) {
  ImageSize largest;
  for (const ImagePlacement& placement : placements) {
    largest.height = std::max(largest.height, placement.visible.height);
    largest.width = std::max(largest.width, placement.visible.width);
  }
  return largest;
}

int64_t round_up(int64_t side, int64_t divisor) { return (side + divisor - 1) / divisor * divisor; }

void check_output(const Tensor& output, std::span<const ImagePlacement> placements) {
  const ImageSize largest = largest_size(placements);
  if (!output.defined() || output.rank() != 4 ||
      output.size(0) != static_cast<int64_t>(placements.size()) ||
      output.size(1) < largest.height || output.size(2) < largest.width) {
    throw ShapeError(fmt::format("[{}] {} images of up to {}x{} do not fit: {}", kOp,
                                 placements.size(), largest.height, largest.width,
                                 output.describe()));
  }
  check_channels(output.size(3));
}

// Everything is checked.
void resize_all(std::span<const Tensor> images, std::span<const ImagePlacement> placements,
                const ResizeNormalizePadParams& params, const Tensor& output) {
  for (size_t i = 0; i < images.size(); ++i) {
    const Tensor& image = images[i];
    const ResizeGeometry geometry{.input = {.height = image.size(0), .width = image.size(1)},
                                  .placement = placements[i],
                                  .padded = {.height = output.size(1), .width = output.size(2)},
                                  .output_channels = output.size(3)};
    const auto n = static_cast<int64_t>(i);
    const Tensor slot = output.slice(n, n + 1);
    const auto* pixels = image.pointer<const uint8_t>();
    dispatch_cuda_float(kOp, output.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      dispatch_device(
          kOp, output.device(),
          [&] { cpu::resize_normalize_pad(geometry, params, pixels, slot.pointer<T>()); },
          [&](Stream stream) {
            cuda::resize_normalize_pad(geometry, params, pixels, slot.pointer<T>(), stream);
          });
    });
  }
}

}  // namespace

Tensor resize_normalize_pad(std::span<const Tensor> images, std::span<const ImageSize> sizes,
                            const ResizeNormalizePadParams& params) {
  const std::vector<ImagePlacement> placements = whole_images(sizes);
  check_inputs(images, placements, params);
  check_channels(params.output_channels);
  check_dtype(params.output_dtype);
  const Device device = images.front().device();
  for (const Tensor& image : images) common_device(kOp, {&images.front(), &image});
  const ImageSize largest = largest_size(placements);
  const Shape shape{static_cast<int64_t>(images.size()),
                    round_up(largest.height, params.size_divisor),
                    round_up(largest.width, params.size_divisor), params.output_channels};
  const Tensor output = Tensor::empty(shape, params.output_dtype, device);
  resize_all(images, placements, params, output);
  return output;
}

void resize_normalize_pad_into(std::span<const Tensor> images, std::span<const ImageSize> sizes,
                               const ResizeNormalizePadParams& params, const Tensor& output) {
  resize_normalize_pad_into(images, whole_images(sizes), params, output);
}

void resize_normalize_pad_into(std::span<const Tensor> images,
                               std::span<const ImagePlacement> placements,
                               const ResizeNormalizePadParams& params, const Tensor& output) {
  check_inputs(images, placements, params);
  check_output(output, placements);
  check_dtype(output.dtype());
  for (const Tensor& image : images) common_device(kOp, {&image, &output});
  resize_all(images, placements, params, output);
}

}  // namespace mrcnn
