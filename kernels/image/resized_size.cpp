#include "kernels/image/resized_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace mrcnn {
namespace {

double scale_f64(double short_side, double long_side, const ResizeParams& params) {
  return std::min(static_cast<double>(params.min_size) / short_side,
                  static_cast<double>(params.max_size) / long_side);
}

// The reference divides a number by an f32 tensor, which multiplies by the rounded reciprocal.
double scale_f32(double short_side, double long_side, const ResizeParams& params) {
  const float min_scale =
      static_cast<float>(params.min_size) * (1.0F / static_cast<float>(short_side));
  const float max_scale =
      static_cast<float>(params.max_size) * (1.0F / static_cast<float>(long_side));
  return static_cast<double>(std::min(min_scale, max_scale));
}

}  // namespace

ImageSize resized_size(int64_t height, int64_t width, const ResizeParams& params) {
  if (height < 1 || width < 1) {
    throw ShapeError(fmt::format("[resized_size] image of {}x{} pixels is empty", height, width));
  }
  if (params.min_size < 1 || params.max_size < 1) {
    throw UsageError(fmt::format("[resized_size] min_size {} and max_size {} must be positive",
                                 params.min_size, params.max_size));
  }
  const auto short_side = static_cast<double>(std::min(height, width));
  const auto long_side = static_cast<double>(std::max(height, width));
  const double scale = params.rule == SizeRule::kTorchvisionFloat32
                           ? scale_f32(short_side, long_side, params)
                           : scale_f64(short_side, long_side, params);
  const auto scaled = [&](int64_t side) {
    const double length = static_cast<double>(side) * scale;
    const double whole =
        params.rule == SizeRule::kOriginalRound ? std::nearbyint(length) : std::floor(length);
    return std::max<int64_t>(1, static_cast<int64_t>(whole));
  };
  return {.height = scaled(height), .width = scaled(width)};
}

}  // namespace mrcnn
