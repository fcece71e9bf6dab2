#include "layers/init.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/fnv1a.h"
#include "core/parallel.h"
#include "core/primitives.h"
#include "core/random.h"
#include "layers/state_dict.h"

namespace mrcnn {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements: about a millisecond of logarithms and cosines

int64_t fan(const Parameter& weight, size_t axis) {
  const std::vector<int64_t>& shape = weight.file_shape;
  int64_t count = shape.size() < 2 ? 0 : shape[axis];
  for (size_t i = 2; i < shape.size(); ++i) count *= shape[i];
  if (count <= 0) {
    throw ShapeError(
        fmt::format("[init] a weight needs two extents or more and a fan above 0: [{}]",
                    fmt::join(shape, ",")));
  }
  return count;
}

// value(stream, i) gives element i in file order.
template <typename Value>
void fill(Parameter& parameter, const InitKey& key, const Value& value) {
  const Shape shape{std::span<const int64_t>(parameter.file_shape)};
  if (parameter.dtype != DType::kF32) {
    throw DTypeError(fmt::format("[init] '{}' is {}, random values need f32", key.name,
                                 dtype_name(parameter.dtype)));
  }
  const RandomStream stream{.seed = key.seed ^ fnv1a64(key.name), .purpose = RandomPurpose::kInit};
  const Tensor values = Tensor::empty(shape);
  float* elements = values.data<float>();
  parallel_for(0, values.numel(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      elements[i] = static_cast<float>(value(stream, static_cast<uint64_t>(i)));
    }
  });
  parameter.value = to_memory_order(values, parameter);
}

}  // namespace

int64_t fan_in(const Parameter& weight) { return fan(weight, 1); }
int64_t fan_out(const Parameter& weight) { return fan(weight, 0); }

void init_constant(Parameter& parameter, double value) {
  const Shape shape{std::span<const int64_t>(parameter.file_shape)};
  const Tensor values = Tensor::empty(shape, parameter.dtype);
  fill_(values, value);
  parameter.value = to_memory_order(values, parameter);
}

void init_normal(Parameter& parameter, const InitKey& key, double standard_deviation) {
  fill(parameter, key, [standard_deviation](const RandomStream& stream, uint64_t i) {
    const auto words = stream.block(i / 2);  // of two elements
    const size_t first = 2 * (i % 2);
    const double radius =
        std::sqrt(-2 * std::log((static_cast<double>(words[first]) + 1) * 0x1p-32));
    const double angle = 2 * std::numbers::pi * static_cast<double>(words[first + 1]) * 0x1p-32;
    return standard_deviation * radius * std::cos(angle);
  });
}

void init_uniform(Parameter& parameter, const InitKey& key, double bound) {
  fill(parameter, key, [bound](const RandomStream& stream, uint64_t i) {
    return bound * ((static_cast<double>(stream.word(i)) + 0.5) * 0x1p-31 - 1);
  });
}

void init_kaiming_normal(Parameter& weight, const InitKey& key) {
  init_normal(weight, key, std::sqrt(2.0 / static_cast<double>(fan_out(weight))));
}

void init_kaiming_uniform(Parameter& weight, const InitKey& key) {
  init_uniform(weight, key, std::sqrt(3.0 / static_cast<double>(fan_in(weight))));
}

void init_default_weight(Parameter& weight, const InitKey& key) {
  init_uniform(weight, key, 1 / std::sqrt(static_cast<double>(fan_in(weight))));
}

void init_default_bias(Parameter& bias, const Parameter& weight, const InitKey& key) {
  init_uniform(bias, key, 1 / std::sqrt(static_cast<double>(fan_in(weight))));
}

}  // namespace mrcnn
