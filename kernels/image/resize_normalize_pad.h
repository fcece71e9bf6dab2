// resize_normalize_pad: photos to the network's input batch, in one pass.
//   images  N x [Hi, Wi, 3]  u8, R G B
//   sizes   N                the size each image is resized to
//   returns [N, PH, PW, C]   f32 or bf16 (output_dtype); C: output_channels
// PH, PW are the largest of sizes, rounded up to size_divisor. resize_normalize_pad_into writes a
// batch that exists already, whose shape and type then count instead: PH, PW at least the largest
// of sizes. All tensors are on one device.
// Normalises first: (value / divisor - mean) / std, each step in f32. Then resizes bilinearly:
//   source = max(0, (i + 0.5) * (in / out) - 0.5), each step in f32, neighbours clamped to the last
//   pixel, rows blended after columns, no antialiasing.
// Instead of a size, each image may have a placement (image_placement.h): it is mirrored, resized,
// and of the result the rows from crop_top and the columns from crop_left are written, as many as
// `visible` says.
// What lies right of and below the resized image is 0 (so padding equals the mean colour), and so
// are channels beyond the third, which some convolutions are faster with.
// mean, std and the output's channels are in the order `pixel_order`.
// bf16 is the f32 result rounded once. A GPU gives the CPU's bits, with one kernel per image.
// Gradient: none, images are constants.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: torchvision 0.29 models/detection/transform.py and PyTorch 2.15 interpolate(
// mode="bilinear", align_corners=False). PyTorch rounds the source coordinate like this on a CPU
// with two or more threads, but fuses it on one thread; the two differ by up to 1.3e-4 on noise.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/image/image_placement.h"
#include "kernels/image/resized_size.h"

namespace mrcnn {

enum class PixelOrder { kRgb, kBgr };

// The defaults are ImageNet's statistics as torchvision uses them.
struct ResizeNormalizePadParams {
  PixelOrder pixel_order = PixelOrder::kRgb;
  float divisor = 255;  // 1 for weights trained on values 0..255
  std::array<float, 3> mean = {0.485F, 0.456F, 0.406F};
  std::array<float, 3> std = {0.229F, 0.224F, 0.225F};
  int64_t size_divisor = 32;
  int64_t output_channels = 3;  // 3, 4 or 8
  DType output_dtype = DType::kF32;
};

Tensor resize_normalize_pad(std::span<const Tensor> images, std::span<const ImageSize> sizes,
                            const ResizeNormalizePadParams& params);
void resize_normalize_pad_into(std::span<const Tensor> images, std::span<const ImageSize> sizes,
                               const ResizeNormalizePadParams& params, const Tensor& output);
void resize_normalize_pad_into(std::span<const Tensor> images,
                               std::span<const ImagePlacement> placements,
                               const ResizeNormalizePadParams& params, const Tensor& output);

struct ResizeGeometry {
  ImageSize input;
  ImagePlacement placement;
  ImageSize padded;
  int64_t output_channels;  // 3, 4 or 8
};

// image [H, W, 3], output [PH, PW, output_channels]
namespace cpu {
void resize_normalize_pad(const ResizeGeometry& geometry, const ResizeNormalizePadParams& params,
                          const uint8_t* image, float* output);
void resize_normalize_pad(const ResizeGeometry& geometry, const ResizeNormalizePadParams& params,
                          const uint8_t* image, BFloat16* output);
}  // namespace cpu

namespace cuda {
void resize_normalize_pad(const ResizeGeometry& geometry, const ResizeNormalizePadParams& params,
                          const uint8_t* image, float* output, Stream stream);
void resize_normalize_pad(const ResizeGeometry& geometry, const ResizeNormalizePadParams& params,
                          const uint8_t* image, BFloat16* output, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
