// The gradient of roi_align (roi_align.h) for the feature maps. RoIs get none.
// Nothing is scattered: every pixel of a map gathers, RoI after RoI and bin after bin, what each
// bin that samples it was given, so that the result is the same whatever runs first.
#pragma once

#include <cstdint>
#include <span>

#include "core/stream.h"
#include "kernels/detection/roi_align.h"

namespace mrcnn {

// Where the gradient of a map goes; without data it is not computed.
template <typename T>
struct GradMap {
  T* data;  // [images, height, width, channels], overwritten
  int64_t images;
  int64_t height;
  int64_t width;
};

namespace cpu {
// rois [num_rois, 5]; grad_output [num_rois, PH, PW, channels]
void roi_align_backward(const RoiAlignParams& params, int64_t channels,
                        std::span<const GradMap<float>> maps, int64_t num_rois, const float* rois,
                        const float* grad_output);
void roi_align_backward(const RoiAlignParams& params, int64_t channels,
                        std::span<const GradMap<double>> maps, int64_t num_rois, const float* rois,
                        const double* grad_output);
}  // namespace cpu

namespace cuda {
inline constexpr int64_t kMaxBackwardBins = 512;  // pooled_height and pooled_width at most

// Which image of which map a RoI is pooled from, and the part of it that it touches. Map -1: none.
struct RoiBounds {
  int32_t map = -1;
  int32_t image = 0;
  int32_t first_row = 0;
  int32_t end_row = 0;
  int32_t first_column = 0;
  int32_t end_column = 0;
};

// bounds [num_rois]: scratch
void roi_align_backward(const RoiAlignParams& params, int64_t channels,
                        std::span<const GradMap<float>> maps, int64_t num_rois, const float* rois,
                        const float* grad_output, RoiBounds* bounds, Stream stream);
void roi_align_backward(const RoiAlignParams& params, int64_t channels,
                        std::span<const GradMap<BFloat16>> maps, int64_t num_rois,
                        const float* rois, const BFloat16* grad_output, RoiBounds* bounds,
                        Stream stream);
}  // namespace cuda
}  // namespace mrcnn
