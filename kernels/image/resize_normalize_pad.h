// resize_normalize_pad: photos to the network's input batch, in one pass.
//   images  N x [Hi, Wi, 3]  u8, R G B
//   sizes   N                the size each image is resized to
//   returns [N, PH, PW, 3]   f32; PH, PW: the largest of sizes, rounded up to size_divisor
// Normalises first: (value / divisor - mean) / std, each step in f32. Then resizes bilinearly:
//   source = max(0, (i + 0.5) * (in / out) - 0.5), each step in f32, neighbours clamped to the last
//   pixel, rows blended after columns, no antialiasing.
// What lies right of and below the resized image is 0 (so padding equals the mean colour).
// mean, std and the output's channels are in the order `pixel_order`.
// Gradient: none, images are constants.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: torchvision 0.29 models/detection/transform.py and PyTorch 2.15 interpolate(
// mode="bilinear", align_corners=False). PyTorch rounds the source coordinate like this on a CPU
// with two or more threads, but fuses it on one thread; the two differ by up to 1.3e-4 on noise.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/tensor.h"
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
};

Tensor resize_normalize_pad(std::span<const Tensor> images, std::span<const ImageSize> sizes,
                            const ResizeNormalizePadParams& params);

struct ResizeGeometry {
  ImageSize input;
  ImageSize resized;
  ImageSize padded;
};

// The normalised value of every byte in every output channel, and where that channel lies in an
// input pixel.
struct PixelTable {
  std::array<std::array<float, 256>, 3> normalized;
  std::array<int64_t, 3> input_channel;
};

namespace cpu {
// image [H, W, 3], output [PH, PW, 3]
void resize_normalize_pad(const ResizeGeometry& geometry, const PixelTable& table,
                          const uint8_t* image, float* output);
}  // namespace cpu
}  // namespace mrcnn
