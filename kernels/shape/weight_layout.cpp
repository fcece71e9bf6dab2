#include "kernels/shape/weight_layout.h"

#include <fmt/format.h>

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

void check_rank(const char* op, const Tensor& weight, int rank, const char* expected) {
  require_cpu(op, {&weight});
  if (!weight.defined() || weight.rank() != rank) {
    throw ShapeError(fmt::format("[{}] weight must be {}: {}", op, expected, weight.describe()));
  }
}

struct Matrices {
  int64_t batch;
  int64_t rows;
  int64_t columns;
};

// The weight seen as a batch of matrices, each transposed.
Tensor transposed(const Tensor& weight, const Matrices& view, const Shape& shape) {
  Tensor result = Tensor::empty(shape, weight.dtype());
  cpu::transpose(view.batch, view.rows, view.columns, dtype_bytes(weight.dtype()), weight.raw(),
                 result.raw());
  return result;
}

void check_linear(const char* op, const Tensor& weight, const FlattenedMap& map) {
  check_rank(op, weight, 2, "[O, C*H*W]");
  const Shape features{map.channels, map.height, map.width};
  if (weight.size(1) != features.numel()) {
    throw ShapeError(
        fmt::format("[{}] weight has {} columns but a map of {}x{}x{} (CxHxW) has {}"
                    " values: {}",
                    op, weight.size(1), map.channels, map.height, map.width, features.numel(),
                    weight.describe()));
  }
}

}  // namespace

Tensor oihw_to_ohwi(const Tensor& weight) {
  check_rank("oihw_to_ohwi", weight, 4, "[O, I, KH, KW]");
  const int64_t o = weight.size(0), i = weight.size(1), kh = weight.size(2), kw = weight.size(3);
  return transposed(weight, {.batch = o, .rows = i, .columns = kh * kw}, {o, kh, kw, i});
}

Tensor ohwi_to_oihw(const Tensor& weight) {
  check_rank("ohwi_to_oihw", weight, 4, "[O, KH, KW, I]");
  const int64_t o = weight.size(0), kh = weight.size(1), kw = weight.size(2), i = weight.size(3);
  return transposed(weight, {.batch = o, .rows = kh * kw, .columns = i}, {o, i, kh, kw});
}

Tensor iohw_to_ohwi(const Tensor& weight) {
  check_rank("iohw_to_ohwi", weight, 4, "[I, O, KH, KW]");
  const int64_t i = weight.size(0), o = weight.size(1), kh = weight.size(2), kw = weight.size(3);
  return transposed(weight, {.batch = 1, .rows = i, .columns = o * kh * kw}, {o, kh, kw, i});
}

Tensor ohwi_to_iohw(const Tensor& weight) {
  check_rank("ohwi_to_iohw", weight, 4, "[O, KH, KW, I]");
  const int64_t o = weight.size(0), kh = weight.size(1), kw = weight.size(2), i = weight.size(3);
  return transposed(weight, {.batch = 1, .rows = o * kh * kw, .columns = i}, {i, o, kh, kw});
}

Tensor linear_chw_to_hwc(const Tensor& weight, const FlattenedMap& map) {
  check_linear("linear_chw_to_hwc", weight, map);
  return transposed(
      weight, {.batch = weight.size(0), .rows = map.channels, .columns = map.height * map.width},
      weight.shape());
}

Tensor linear_hwc_to_chw(const Tensor& weight, const FlattenedMap& map) {
  check_linear("linear_hwc_to_chw", weight, map);
  return transposed(
      weight, {.batch = weight.size(0), .rows = map.height * map.width, .columns = map.channels},
      weight.shape());
}

}  // namespace mrcnn
