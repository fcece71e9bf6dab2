// Values of untrained parameters. A value is a function of (seed, full parameter name, index of the
// element in file order) only, so adding or removing a layer never changes another's numbers, and
// neither do threads or the layout in memory.
//
//   element i, uniform    u = (word(i) + 0.5) / 2^32                  in (0, 1)
//   element i, normal     sqrt(-2 ln u1) cos(2 pi u2), u1 = (word(2 i) + 1) / 2^32,
//                         u2 = word(2 i + 1) / 2^32                    (Box and Muller 1958)
//   word(k)               RandomStream{seed ^ fnv1a64(name), RandomPurpose::kInit}.word(k)
//
// computed in f64 and rounded once to f32. Each function sets Parameter::value to a new tensor on
// the CPU, in memory order. All but init_constant need an f32 parameter (DTypeError).
// fan_in and fan_out are torch.nn.init's: the second and the first extent of the file shape, times
// the kernel's positions; for a transposed convolution, [I, O, KH, KW], the names are the wrong way
// round, as they are there. A weight without two extents, or with a fan of 0, is a ShapeError.
// Source: torch 2 nn/init.py, nn/modules/linear.py and conv.py (reset_parameters).
#pragma once

#include <cstdint>
#include <string_view>

#include "layers/parameter.h"

namespace mrcnn {

// Which numbers a parameter gets.
struct InitKey {
  uint64_t seed = 0;
  std::string_view name;  // "backbone.body.layer1.0.conv1.weight"
};

int64_t fan_in(const Parameter& weight);
int64_t fan_out(const Parameter& weight);

// Any element type; an integer one must hold the value exactly (UsageError).
void init_constant(Parameter& parameter, double value);

void init_normal(Parameter& parameter, const InitKey& key, double standard_deviation);
void init_uniform(Parameter& parameter, const InitKey& key, double bound);  // in +-bound

// Normal, standard deviation sqrt(2 / fan_out): He et al. 2015, eq. 14, for layers before a ReLU.
void init_kaiming_normal(Parameter& weight, const InitKey& key);
// Uniform, bound sqrt(3 / fan_in): kaiming_uniform_ with a = 1, for layers without a ReLU.
void init_kaiming_uniform(Parameter& weight, const InitKey& key);

// What torch.nn.Linear, Conv2d and ConvTranspose2d start with: uniform, bound 1 / sqrt(fan_in of
// the weight) for both.
void init_default_weight(Parameter& weight, const InitKey& key);
void init_default_bias(Parameter& bias, const Parameter& weight, const InitKey& key);

}  // namespace mrcnn
