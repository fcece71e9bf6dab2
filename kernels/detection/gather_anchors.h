// gather_anchors: what the RPN head says of the anchors picked from all levels of a pyramid.
//   maps    L tensors [N, H_l, W_l, A*width], 1 to 8 of them; f32 or f64; on a GPU f32 or bf16.
//           Anchor a of a cell has the channels a*width and on; A may differ between levels.
//   indices [N, S]  i32, index of an anchor of image n: in the order (level, row, column, anchor),
//           levels one after another (anchors.h). -1 gives zeros. Others out of range are an error
//           on the CPU and give zeros on a GPU. The indices of one image, but for -1, must be
//           distinct: what is repeated is an error on the CPU and has an undefined gradient on a
//           GPU.
//   returns [N*S, width], type and device of the maps
// Gradient: every map; zeroed, then the picked anchors are written.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: torchvision 0.29 models/detection/rpn.py concat_box_prediction_layers, compute_loss.
#pragma once

#include <cstdint>
#include <span>

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/detection/gather_anchors_math.h"

namespace mrcnn {

Tensor gather_anchors(std::span<const Tensor> maps, const Tensor& indices, int64_t width);

struct AnchorGather {
  AnchorLevels table = {};
  int64_t images = 0;
  int64_t samples = 0;  // of an image
  int64_t width = 0;
};

// One address per level; null in a backward pass for a map without gradient.
template <typename T>
struct AnchorMaps {
  T* data[kMaxAnchorLevels] = {};
};

namespace cpu {
// maps as gather.table says; indices [images, samples]; output, grad_output
// [images * samples, width]. grad_maps are zero on entry.
void gather_anchors(const AnchorGather& gather, const AnchorMaps<const float>& maps,
                    const int32_t* indices, float* output);
void gather_anchors(const AnchorGather& gather, const AnchorMaps<const double>& maps,
                    const int32_t* indices, double* output);
void gather_anchors_backward(const AnchorGather& gather, const float* grad_output,
                             const int32_t* indices, const AnchorMaps<float>& grad_maps);
void gather_anchors_backward(const AnchorGather& gather, const double* grad_output,
                             const int32_t* indices, const AnchorMaps<double>& grad_maps);
}  // namespace cpu

namespace cuda {
void gather_anchors(const AnchorGather& gather, const AnchorMaps<const float>& maps,
                    const int32_t* indices, float* output, Stream stream);
void gather_anchors(const AnchorGather& gather, const AnchorMaps<const BFloat16>& maps,
                    const int32_t* indices, BFloat16* output, Stream stream);
void gather_anchors_backward(const AnchorGather& gather, const float* grad_output,
                             const int32_t* indices, const AnchorMaps<float>& grad_maps,
                             Stream stream);
void gather_anchors_backward(const AnchorGather& gather, const BFloat16* grad_output,
                             const int32_t* indices, const AnchorMaps<BFloat16>& grad_maps,
                             Stream stream);
}  // namespace cuda
}  // namespace mrcnn
