#include "kernels/detection/roi_align.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "kernels/detection/checks.h"
#include "kernels/detection/roi_align_backward.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "roi_align";

void check_features(std::span<const Tensor> features, const RoiAlignParams& params) {
  using detection::kAny;
  if (features.empty() || features.size() != params.scales.size()) {
    throw ShapeError(fmt::format("[{}] {} feature maps need as many scales, not {}", kOp,
                                 features.size(), params.scales.size()));
  }
  for (const float scale : params.scales) {
    if (!(scale > 0)) throw ShapeError(fmt::format("[{}] scale must be positive: {}", kOp, scale));
  }
  const Tensor& first = features.front();
  for (const Tensor& map : features) {
    detection::require_shape(kOp, "a feature map", map, "[N,H,W,C], N and C as in the others",
                             {first.rank() == 4 ? first.size(0) : kAny, kAny, kAny,
                              first.rank() == 4 ? first.size(3) : kAny});
    detection::require_dtype(kOp, "a feature map", map, first.dtype());
    if (map.size(1) == 0 || map.size(2) == 0) {
      throw ShapeError(fmt::format("[{}] a feature map has no pixels: {}", kOp, map.describe()));
    }
    detection::require_indexable(kOp, "a map's rows", map.size(1));
    detection::require_indexable(kOp, "a map's columns", map.size(2));
  }
}

void check_output(const RoiAlignParams& params, int64_t channels) {
  if (params.pooled_height < 1 || params.pooled_width < 1 || !(params.canonical_scale > 0)) {
    throw ShapeError(fmt::format("[{}] output {} x {} and canonical_scale {} must be positive", kOp,
                                 params.pooled_height, params.pooled_width,
                                 params.canonical_scale));
  }
  detection::require_indexable(kOp, "a RoI's output",
                               Shape{params.pooled_height, params.pooled_width, channels}.numel());
}

// The values are looked at on the CPU only.
void check_rois(const Tensor& rois, int64_t images) {
  detection::require_f32(kOp, "rois", rois, "[R,5]", {detection::kAny, 5});
  detection::require_indexable(kOp, "rois", rois.size(0));
  if (!rois.device().is_cpu()) return;
  const float* roi = rois.data<const float>();
  for (int64_t r = 0; r < rois.size(0); ++r) {
    const float index = roi[5 * r];
    if (!(index >= -1 && index < static_cast<float>(images) && std::floor(index) == index)) {
      throw ShapeError(fmt::format("[{}] RoI {} has image index {}, not -1 or 0..{}: rois {}", kOp,
                                   r, index, images - 1, rois.describe()));
    }
  }
}

Device device_of(std::span<const Tensor> features, const Tensor& rois) {
  for (const Tensor& map : features) common_device(kOp, {&map, &rois});
  return rois.device();
}

template <typename T>
std::vector<FeatureMap<T>> feature_maps(std::span<const Tensor> features) {
  std::vector<FeatureMap<T>> maps;
  for (const Tensor& map : features) {
    maps.push_back({map.pointer<const T>(), map.size(0), map.size(1), map.size(2)});
  }
  return maps;
}

template <typename T>
std::vector<GradMap<T>> grad_maps(const std::vector<Shape>& shapes,
                                  const std::vector<Tensor>& gradients) {
  std::vector<GradMap<T>> maps;
  for (size_t i = 0; i < shapes.size(); ++i) {
    maps.push_back({gradients[i].defined() ? gradients[i].pointer<T>() : nullptr, shapes[i][0],
                    shapes[i][1], shapes[i][2]});
  }
  return maps;
}

// Gradients of the maps that `wanted` names.
std::vector<Tensor> feature_gradients(const std::vector<Shape>& shapes,
                                      const std::vector<bool>& wanted, const Tensor& rois,
                                      const RoiAlignParams& params, const Tensor& grad_output) {
  const DType dtype = grad_output.dtype();
  const Device device = grad_output.device();
  const int64_t channels = grad_output.size(3);
  std::vector<Tensor> gradients(shapes.size());
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (wanted[i]) gradients[i] = Tensor::empty(shapes[i], dtype, device);
  }
  dispatch_device(
      kOp, device,
      [&] {
        dispatch_float(kOp, dtype, [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::roi_align_backward(
              params, channels, std::span<const GradMap<T>>(grad_maps<T>(shapes, gradients)),
              rois.size(0), rois.data<const float>(), grad_output.data<const T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, dtype, [&](auto tag) {
          using T = typename decltype(tag)::type;
          const auto bytes = static_cast<int64_t>(sizeof(cuda::RoiBounds));
          const Tensor bounds = Tensor::empty({rois.size(0) * bytes}, DType::kU8, device);
          cuda::roi_align_backward(
              params, channels, std::span<const GradMap<T>>(grad_maps<T>(shapes, gradients)),
              rois.size(0), rois.pointer<const float>(), grad_output.pointer<const T>(),
              static_cast<cuda::RoiBounds*>(static_cast<void*>(bounds.raw())), stream);
        });
      });
  return gradients;
}

Tensor record_features(const Tensor& output, std::span<const Tensor> features, const Tensor& rois,
                       const RoiAlignParams& params) {
  std::vector<Shape> shapes;
  std::vector<bool> wanted;
  for (const Tensor& map : features) {
    shapes.push_back(map.shape());
    wanted.push_back(needs_grad(map));
  }
  return record(kOp, output, {features.begin(), features.end()},
                [shapes, wanted, rois = rois.detach(), params](const Tensor& grad_output) {
                  return feature_gradients(shapes, wanted, rois, params, grad_output);
                });
}

void check_backward(std::span<const Tensor> features, const RoiAlignParams& params) {
  const bool needed = std::any_of(features.begin(), features.end(), needs_grad);
  if (needed && std::max(params.pooled_height, params.pooled_width) > cuda::kMaxBackwardBins) {
    throw ShapeError(
        fmt::format("[{}] output {} x {} is larger than the {} bins per axis whose "
                    "gradient a GPU computes",
                    kOp, params.pooled_height, params.pooled_width, cuda::kMaxBackwardBins));
  }
}

}  // namespace

Tensor roi_align(std::span<const Tensor> features, const Tensor& rois,
                 const RoiAlignParams& params) {
  check_features(features, params);
  check_rois(rois, features.front().size(0));
  const DType dtype = features.front().dtype();
  const int64_t channels = features.front().size(3);
  check_output(params, channels);
  const Device device = device_of(features, rois);
  if (!device.is_cpu() && features.size() > cuda::kMaxRoiAlignMaps) {
    throw ShapeError(fmt::format("[{}] {} feature maps are more than the {} a GPU takes", kOp,
                                 features.size(), cuda::kMaxRoiAlignMaps));
  }
  if (!device.is_cpu()) check_backward(features, params);
  const Tensor output = Tensor::empty(
      {rois.size(0), params.pooled_height, params.pooled_width, channels}, dtype, device);
  dispatch_device(
      kOp, device,
      [&] {
        dispatch_float(kOp, dtype, [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::roi_align(params, channels,
                         std::span<const FeatureMap<T>>(feature_maps<T>(features)), rois.size(0),
                         rois.data<const float>(), output.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, dtype, [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::roi_align(params, channels,
                          std::span<const FeatureMap<T>>(feature_maps<T>(features)), rois.size(0),
                          rois.pointer<const float>(), output.pointer<T>(), stream);
        });
      });
  return record_features(output, features, rois, params);
}

}  // namespace mrcnn
