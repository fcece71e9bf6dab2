#include "kernels/detection/anchors.h"

#include <cmath>
#include <vector>

#include "core/dispatch.h"
#include "kernels/detection/checks.h"

namespace mrcnn {

Tensor base_anchors(std::span<const double> sizes, std::span<const double> ratios,
                    bool round_half_even) {
  constexpr const char* kOp = "base_anchors";
  for (const std::span<const double> values : {sizes, ratios}) {
    if (values.empty()) throw ShapeError(fmt::format("[{}] no sizes or no ratios", kOp));
    for (const double value : values) {
      if (!(value > 0 && std::isfinite(value))) {
        throw ShapeError(
            fmt::format("[{}] sizes and ratios must be positive numbers: {}", kOp, value));
      }
    }
  }
  std::vector<float> boxes;
  for (const double size : sizes) {
    for (const double ratio : ratios) {
      // f32 in this order, because the references' bits follow from it.
      const float root = std::sqrt(static_cast<float>(ratio));
      const float half_height = root * static_cast<float>(size) / 2;
      const float half_width = 1 / root * static_cast<float>(size) / 2;
      for (const float edge : {-half_width, -half_height, half_width, half_height}) {
        boxes.push_back(round_half_even ? std::nearbyint(edge) : edge);
      }
    }
  }
  return Tensor::from(boxes, {static_cast<int64_t>(boxes.size() / 4), 4});
}

Tensor grid_anchors(const Tensor& base, int64_t grid_height, int64_t grid_width,
                    int64_t stride_height, int64_t stride_width) {
  constexpr const char* kOp = "grid_anchors";
  detection::require_f32(kOp, "base", base, "[A,4]", {detection::kAny, 4});
  if (grid_height < 0 || grid_width < 0 || stride_height < 0 || stride_width < 0) {
    throw ShapeError(fmt::format("[{}] grid {} x {} and stride {} x {} must not be negative", kOp,
                                 grid_height, grid_width, stride_height, stride_width));
  }
  const Shape shape{Shape{grid_height, grid_width, base.size(0)}.numel(), 4};
  const Tensor output = Tensor::empty(shape, DType::kF32, base.device());
  const auto* boxes = base.pointer<const float>();
  auto* anchors = output.pointer<float>();
  dispatch_device(
      kOp, base.device(),
      [&] {
        cpu::grid_anchors(base.size(0), grid_height, grid_width, stride_height, stride_width, boxes,
                          anchors);
      },
      [&](Stream stream) {
        cuda::grid_anchors(base.size(0), grid_height, grid_width, stride_height, stride_width,
                           boxes, anchors, stream);
      });
  return output;
}

}  // namespace mrcnn
