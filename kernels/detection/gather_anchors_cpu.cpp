#include <algorithm>

#include "kernels/detection/gather_anchors.h"

namespace mrcnn::cpu {
namespace {

template <typename T>
void gather_rows(const AnchorGather& gather, const AnchorMaps<const T>& maps,
                 const int32_t* indices, T* output) {
  for (int64_t row = 0; row < gather.images * gather.samples; ++row) {
    const AnchorPlace place = find_anchor(gather.table, row / gather.samples, indices[row]);
    T* const target = output + row * gather.width;
    if (place.level < 0) {
      std::fill_n(target, gather.width, T(0));
    } else {
      std::copy_n(maps.data[place.level] + place.anchor * gather.width, gather.width, target);
    }
  }
}

template <typename T>
void scatter_rows(const AnchorGather& gather, const T* grad_output, const int32_t* indices,
                  const AnchorMaps<T>& grad_maps) {
  for (int64_t row = 0; row < gather.images * gather.samples; ++row) {
    const AnchorPlace place = find_anchor(gather.table, row / gather.samples, indices[row]);
    if (place.level < 0 || grad_maps.data[place.level] == nullptr) continue;
    std::copy_n(grad_output + row * gather.width, gather.width,
                grad_maps.data[place.level] + place.anchor * gather.width);
  }
}

}  // namespace

void gather_anchors(const AnchorGather& gather, const AnchorMaps<const float>& maps,
                    const int32_t* indices, float* output) {
  gather_rows(gather, maps, indices, output);
}

void gather_anchors(const AnchorGather& gather, const AnchorMaps<const double>& maps,
                    const int32_t* indices, double* output) {
  gather_rows(gather, maps, indices, output);
}

void gather_anchors_backward(const AnchorGather& gather, const float* grad_output,
                             const int32_t* indices, const AnchorMaps<float>& grad_maps) {
  scatter_rows(gather, grad_output, indices, grad_maps);
}

void gather_anchors_backward(const AnchorGather& gather, const double* grad_output,
                             const int32_t* indices, const AnchorMaps<double>& grad_maps) {
  scatter_rows(gather, grad_output, indices, grad_maps);
}

}  // namespace mrcnn::cpu
