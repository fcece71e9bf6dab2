#include "kernels/detection/gather_anchors.h"

#include <algorithm>
#include <vector>

#include "core/autograd/record.h"
#include "kernels/detection/checks.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "gather_anchors";

AnchorGather check_maps(std::span<const Tensor> maps, const Tensor& indices, int64_t width) {
  using detection::kAny;
  if (maps.empty() || maps.size() > kMaxAnchorLevels || width < 1) {
    throw ShapeError(fmt::format("[{}] takes 1 to {} maps and a width above 0, not {} and {}", kOp,
                                 kMaxAnchorLevels, maps.size(), width));
  }
  AnchorGather gather{.width = width};
  detection::require_i32(kOp, "indices", indices, "[N,S]", {kAny, kAny});
  gather.images = indices.size(0);
  gather.samples = indices.size(1);
  int64_t total = 0;
  for (const Tensor& map : maps) {
    detection::require_shape(kOp, "map", map, "[N,H,W,A*width]", {gather.images, kAny, kAny, kAny});
    if (map.size(3) % width != 0) {
      throw ShapeError(fmt::format("[{}] the channels of a map must be a multiple of {}: {}", kOp,
                                   width, map.describe()));
    }
    detection::require_dtype(kOp, "map", map, maps.front().dtype());
    common_device(kOp, {&maps.front(), &map, &indices});
    total += map.size(1) * map.size(2) * (map.size(3) / width);
    gather.table.ends[gather.table.levels++] = total;
  }
  detection::require_indexable(kOp, "an image", total);
  return gather;
}

void check_indices(const AnchorGather& gather, const Tensor& indices) {
  const int64_t total = gather.table.ends[gather.table.levels - 1];
  std::vector<int32_t> sorted;
  for (int64_t n = 0; n < gather.images; ++n) {
    const auto picked = indices.span<const int32_t>().subspan(
        static_cast<size_t>(n * gather.samples), static_cast<size_t>(gather.samples));
    sorted.assign(picked.begin(), picked.end());
    std::sort(sorted.begin(), sorted.end());
    for (size_t i = 0; i < sorted.size(); ++i) {
      if (sorted[i] < -1 || sorted[i] >= total) {
        throw ShapeError(fmt::format("[{}] index {} of image {} is not in -1..{}", kOp, sorted[i],
                                     n, total - 1));
      }
      if (i > 0 && sorted[i] >= 0 && sorted[i] == sorted[i - 1]) {
        throw ShapeError(
            fmt::format("[{}] index {} of image {} is there twice", kOp, sorted[i], n));
      }
    }
  }
}

// With zeroed gradients for the maps of which `shapes` has one.
std::vector<Tensor> backward_of(const AnchorGather& gather, const std::vector<Shape>& shapes,
                                const std::vector<bool>& needed, const Tensor& grad_output,
                                const Tensor& indices) {
  std::vector<Tensor> gradients(shapes.size());
  for (size_t level = 0; level < shapes.size(); ++level) {
    if (!needed[level]) continue;
    gradients[level] = Tensor::zeros(shapes[level], grad_output.dtype(), grad_output.device());
  }
  const auto addresses = [&gradients]<typename T>(TypeTag<T>) {
    AnchorMaps<T> maps;
    for (size_t level = 0; level < gradients.size(); ++level) {
      if (gradients[level].defined()) maps.data[level] = gradients[level].pointer<T>();
    }
    return maps;
  };
  const auto* picked = indices.pointer<const int32_t>();
  dispatch_device(
      kOp, grad_output.device(),
      [&] {
        dispatch_float(kOp, grad_output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::gather_anchors_backward(gather, grad_output.data<const T>(), picked, addresses(tag));
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, grad_output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::gather_anchors_backward(gather, grad_output.pointer<const T>(), picked,
                                        addresses(tag), stream);
        });
      });
  return gradients;
}

}  // namespace

Tensor gather_anchors(std::span<const Tensor> maps, const Tensor& indices, int64_t width) {
  const AnchorGather gather = check_maps(maps, indices, width);
  const Tensor& first = maps.front();
  const Shape shape{gather.images * gather.samples, width};
  const auto addresses = [&maps]<typename T>(TypeTag<T>) {
    AnchorMaps<const T> list;
    for (size_t level = 0; level < maps.size(); ++level) {
      list.data[level] = maps[level].pointer<const T>();
    }
    return list;
  };
  const auto* picked = indices.pointer<const int32_t>();
  Tensor output;
  dispatch_device(
      kOp, first.device(),
      [&] {
        check_indices(gather, indices);
        dispatch_float(kOp, first.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          output = Tensor::empty(shape, first.dtype());
          cpu::gather_anchors(gather, addresses(tag), picked, output.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, first.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          output = Tensor::empty(shape, first.dtype(), first.device());
          cuda::gather_anchors(gather, addresses(tag), picked, output.pointer<T>(), stream);
        });
      });
  std::vector<Shape> shapes;
  std::vector<bool> needed;
  for (const Tensor& map : maps) {
    shapes.push_back(map.shape());
    needed.push_back(needs_grad(map));
  }
  return record(kOp, output, {maps.begin(), maps.end()},
                [gather, shapes = std::move(shapes), needed = std::move(needed),
                 indices = indices.detach()](const Tensor& grad_output) {
                  return backward_of(gather, shapes, needed, grad_output, indices);
                });
}

}  // namespace mrcnn
