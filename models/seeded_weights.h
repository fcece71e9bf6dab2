// Weights that are a function of (seed, tensor name, element index): full-size models are compared
// with other implementations without storing their weights.
//
//   h = fnv1a64(name) ^ (seed * 0x9E3779B97F4A7C15)
//   z = splitmix64_finaliser(h + (i + 1) * 0x9E3779B97F4A7C15)
//   f = float(z >> 40) * 2^-23 - 1           exact, in [-1, 1)
//   value = offset + f * scale                float32, each operation rounded
//
// i counts elements in the layout of the weight *file* (convolution OIHW, transposed convolution
// IOHW, linear [out, in]), whatever layout a model keeps in memory. `scale` and `offset` depend on
// the role that name and shape tell. They are chosen so that activations of every stage of the
// models are of order 1 on photos and enough detections survive; the values mean nothing otherwise.
// tests/golden/seeded_weights.py holds the same rule; both give equal bits.
// Sources: FNV-1a (Fowler, Noll, Vo); splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace mrcnn {

inline constexpr uint64_t kGoldenSeed = 6;  // of the weights behind tests/golden

// The tensor's values, row-major in file layout. An empty shape is a scalar.
// Throws ShapeError on a shape no tensor can have, and on an empty fan-in.
std::vector<float> seeded_values(uint64_t seed, std::string_view name,
                                 std::span<const int64_t> file_shape);

}  // namespace mrcnn
