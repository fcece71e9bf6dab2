// roi_align: average of bilinear samples inside each RoI's bins, from the pyramid level that suits
// its size.
//   features [N, H, W, C]  float; on a GPU f32 or bf16, at most 8 maps. One per level, finest
//                          first; H and W differ, N and C do not
//   rois     [R, 5]        f32 (image index, x1, y1, x2, y2), pixels of the network's input image
//   returns  [R, PH, PW, C]  type of the features
// Bin (i, j) averages sampling_ratio^2 samples at (k + 0.5) / sampling_ratio of its sides;
// sampling_ratio <= 0 takes ceil(bin size) samples per axis. Positions in the map are
// coordinate * scale, minus 0.5 with aligned = true, where pixel centres are at +0.5; without it
// (the older definition) the RoI counts as at least one map pixel wide and high.
// A sample more than one pixel outside the map is 0, up to one pixel it takes the border's value.
// Level: floor(canonical_level + log2(sqrt(area) / canonical_scale) + 1e-6), clamped to the levels
// there are; scales[i] is 2^-(level of features[i]). One map: always that one.
// A RoI of image index -1 gives zeros (unused rows of a fixed-size list), so does one with NaN.
// Any other index outside 0..N-1 is an error on the CPU and gives zeros on a GPU, where values are
// not looked at before they are used.
// Gradient: features (roi_align_backward.h), not rois.  f32 and bf16 accumulate in f32. On a GPU it
// takes at most 512 bins per axis.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
// On a GPU f32 has the CPU's bits while a bin has at most 8 samples per axis and the level is not
// decided by the last bit of log2.
// Source: He et al. 2017, sec. 3; torchvision 0.29 ops/roi_align (sampling, borders),
// ops/poolers.py (levels). f32 merges samples that share a pixel, so sums are ordered differently.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

struct RoiAlignParams {
  int64_t pooled_height = 7;
  int64_t pooled_width = 7;
  int64_t sampling_ratio = 2;
  bool aligned = false;
  std::vector<float> scales = {};  // map pixels per image pixel, one per feature map
  float canonical_scale = 224;     // image pixels
  int64_t canonical_level = 4;
};

Tensor roi_align(std::span<const Tensor> features, const Tensor& rois,
                 const RoiAlignParams& params);

template <typename T>
struct FeatureMap {
  const T* data;  // [images, height, width, channels]
  int64_t images;
  int64_t height;
  int64_t width;
};

namespace cpu {
// rois [num_rois, 5]; output [num_rois, PH, PW, channels]
void roi_align(const RoiAlignParams& params, int64_t channels,
               std::span<const FeatureMap<float>> maps, int64_t num_rois, const float* rois,
               float* output);
void roi_align(const RoiAlignParams& params, int64_t channels,
               std::span<const FeatureMap<double>> maps, int64_t num_rois, const float* rois,
               double* output);
}  // namespace cpu

namespace cuda {
inline constexpr int kMaxRoiAlignMaps = 8;

void roi_align(const RoiAlignParams& params, int64_t channels,
               std::span<const FeatureMap<float>> maps, int64_t num_rois, const float* rois,
               float* output, Stream stream);
void roi_align(const RoiAlignParams& params, int64_t channels,
               std::span<const FeatureMap<BFloat16>> maps, int64_t num_rois, const float* rois,
               BFloat16* output, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
