#include "models/seeded_weights.h"

#include <cmath>
#include <string>

#include "core/error.h"
#include "core/fnv1a.h"
#include "core/shape.h"

namespace mrcnn {
namespace {

constexpr uint64_t kGoldenRatio = 0x9E3779B97F4A7C15;

struct Affine {
  float scale;
  float offset;
};

struct NamedAffine {
  std::string_view tail;  // end of the name; the first match counts
  Affine affine;
};

struct NamedGain {
  std::string_view tail;
  double gain;
};

// Statistics, the damped last norm of a bottleneck, and biases. The box biases enlarge the boxes,
// so that NMS has work and masks have pixels; the box head's negative bias makes its features
// sparse, so that RoIs differ from each other.
constexpr NamedAffine kAffines[] = {
    {"num_batches_tracked", {0.0F, 0.0F}},
    {"running_mean", {0.1F, 0.0F}},
    {"running_var", {0.25F, 1.0F}},
    {"bn3.weight", {0.0625F, 0.25F}},
    {"rpn.head.bbox_pred.bias", {0.1F, 0.75F}},
    {"roi_heads.box_predictor.bbox_pred.bias", {0.1F, 3.5F}},
    {"head.box_predictor.bbox_pred.bias", {0.1F, 1.5F}},
    {"box_head.fc7.bias", {0.1F, -1.0F}},
    {"box_head.5.bias", {0.1F, -1.0F}},
    {"bias", {0.1F, 0.0F}},
};
constexpr Affine kNormWeight = {0.25F, 1.0F};

// Gain 1 keeps the mean square of a map, sqrt(2) does when a ReLU follows. The four terms that meet
// in the finest FPN map are damped; logits are raised until scores spread.
constexpr NamedGain kGains[] = {
    {"downsample.0.weight", 1.0},       {"inner_blocks.0.0.weight", 0.5},
    {"inner_blocks.1.0.weight", 0.5},   {"inner_blocks.2.0.weight", 0.5},
    {"inner_blocks.3.0.weight", 1.0},   {"layer_blocks.0.0.weight", 0.7},
    {"layer_blocks.1.0.weight", 0.7},   {"layer_blocks.2.0.weight", 0.7},
    {"layer_blocks.3.0.weight", 1.0},   {"inner_block_module.weight", 1.0},
    {"layer_block_module.weight", 1.0}, {"rpn.head.cls_logits.weight", 2.0},
    {"rpn.head.bbox_pred.weight", 0.5}, {"cls_score.weight", 3.0},
    {"bbox_pred.weight", 1.5},          {"mask_fcn_logits.weight", 2.5},
};
constexpr double kReluGain = 1.4142135623730951;

float unit_value(uint64_t base, uint64_t index) {
  uint64_t z = base + (index + 1) * kGoldenRatio;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  z ^= z >> 31;
  return static_cast<float>(static_cast<int32_t>(z >> 40)) * 0x1p-23F - 1.0F;
}

// Number of inputs that one output element sums.
int64_t fan_in(std::string_view name, const Shape& shape) {
  // A 2x2 transposed convolution of stride 2 writes every output pixel once.
  if (name.ends_with("conv5_mask.weight") || name.ends_with("mask_conv5.weight")) return shape[0];
  int64_t count = 1;
  for (int axis = 1; axis < shape.rank(); ++axis) count *= shape[axis];
  return count;
}

Affine affine_of(std::string_view name, const Shape& shape) {
  for (const NamedAffine& named : kAffines) {
    if (name.ends_with(named.tail)) return named.affine;
  }
  if (shape.rank() < 2) return kNormWeight;
  const int64_t inputs = fan_in(name, shape);
  if (inputs == 0) {
    throw ShapeError("[seeded_values] a weight has 0 inputs: " + std::string(name) + " " +
                     shape.to_string());
  }
  double gain = kReluGain;
  for (const NamedGain& named : kGains) {
    if (name.ends_with(named.tail)) {
      gain = named.gain;
      break;
    }
  }
  return {static_cast<float>(gain * std::sqrt(3.0 / static_cast<double>(inputs))), 0.0F};
}

}  // namespace

std::vector<float> seeded_values(uint64_t seed, std::string_view name,
                                 std::span<const int64_t> file_shape) {
  const Shape shape(file_shape);
  const Affine affine = affine_of(name, shape);
  const uint64_t base = fnv1a64(name) ^ (seed * kGoldenRatio);
  std::vector<float> values(static_cast<size_t>(shape.numel()));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = affine.offset + unit_value(base, i) * affine.scale;
  }
  return values;
}

}  // namespace mrcnn
