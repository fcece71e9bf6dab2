// batch_norm_affine: the affine map that a batch normalisation with fixed statistics is.
//   weight, bias, running_mean, running_var  [C]  f32 or f64, one type
//   returns scale [C], shift [C] in double:
//     scale = weight / sqrt(running_var + eps),  shift = bias - running_mean * scale
// A channel with running_var + eps = 0 gets scale +-inf (NaN if weight is 0 too), as in the
// reference; published weights with eps 0 rely on no such channel existing.
// Source: Ioffe and Szegedy 2015, algorithm 2; torchvision 0.29 ops/misc.py FrozenBatchNorm2d,
// which rounds scale to f32 before it computes shift.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace mrcnn {

struct BatchNormConstants {
  Tensor weight;
  Tensor bias;
  Tensor running_mean;
  Tensor running_var;
  double eps = 1e-5;  // 0 in torchvision's COCO Mask R-CNN v1, see the weight file's metadata
};

struct ChannelAffine {
  std::vector<double> scale;
  std::vector<double> shift;
};

// Throws unless the four tensors are [channels] and of one type. `op` names the caller in errors.
void check_batch_norm(const char* op, const BatchNormConstants& bn, int64_t channels);

// On the CPU, f32 or f64.
ChannelAffine batch_norm_affine(const char* op, const BatchNormConstants& bn, int64_t channels);

}  // namespace mrcnn
