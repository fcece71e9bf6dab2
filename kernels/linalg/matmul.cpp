#include "kernels/linalg/matmul.h"

#include <fmt/format.h>

#include "core/dispatch.h"
#include "core/error.h"
#include "core/primitives.h"
#include "kernels/linalg/gemm_plan.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "matmul";

MatmulGeometry geometry_of(const Tensor& a, const Tensor& b, const MatmulParams& params) {
  if (!a.defined() || !b.defined() || a.rank() != 2 || b.rank() != 2) {
    throw ShapeError(
        fmt::format("[{}] takes two matrices: a {}, b {}", kOp, a.describe(), b.describe()));
  }
  const MatmulGeometry g{.rows = a.size(params.a_transposed ? 1 : 0),
                         .depth = a.size(params.a_transposed ? 0 : 1),
                         .columns = b.size(params.b_transposed ? 0 : 1),
                         .a_transposed = params.a_transposed,
                         .b_transposed = params.b_transposed};
  const int64_t b_depth = b.size(params.b_transposed ? 1 : 0);
  if (b_depth != g.depth) {
    throw ShapeError(fmt::format("[{}] sums over {} elements of a but {} of b: a {}{}, b {}{}", kOp,
                                 g.depth, b_depth, a.describe(),
                                 params.a_transposed ? " transposed" : "", b.describe(),
                                 params.b_transposed ? " transposed" : ""));
  }
  if (a.dtype() != b.dtype()) {
    throw DTypeError(fmt::format("[{}] types differ: a {}, b {}", kOp, a.describe(), b.describe()));
  }
  if (common_device(kOp, {&a, &b}).is_cuda()) {
    dispatch_cuda_float(kOp, a.dtype(), [](auto) {});
  } else {
    dispatch_float(kOp, a.dtype(), [](auto) {});
  }
  return g;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, const MatmulParams& params) {
  const MatmulGeometry g = geometry_of(a, b, params);
  const Tensor output = Tensor::empty({g.rows, g.columns}, a.dtype(), a.device());
  matmul_into(a, b, params, output);
  return output;
}

void matmul_into(const Tensor& a, const Tensor& b, const MatmulParams& params,
                 const Tensor& output) {
  const MatmulGeometry g = geometry_of(a, b, params);
  common_device(kOp, {&a, &output});
  if (output.shape() != Shape{g.rows, g.columns} || output.dtype() != a.dtype()) {
    throw ShapeError(fmt::format("[{}] output must be {} [{},{}]: {}", kOp, dtype_name(a.dtype()),
                                 g.rows, g.columns, output.describe()));
  }
  if (output.numel() == 0) return;
  if (g.depth == 0) return fill_(output, 0);
  dispatch_device(
      kOp, a.device(),
      [&] {
        dispatch_float(kOp, a.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::matmul(g, a.data<const T>(), b.data<const T>(), output.data<T>());
        });
      },
      [&](Stream stream) {
        cuda::run_gemm({.rows = g.rows,
                        .in = g.depth,
                        .out = g.columns,
                        .dtype = a.dtype(),
                        .tf32 = params.tf32 && a.dtype() == DType::kF32,
                        .input_transposed = g.a_transposed,
                        .weight_transposed = !g.b_transposed},
                       a.raw(), b.raw(), static_cast<const float*>(nullptr), nullptr, output.raw(),
                       stream);
      });
}

}  // namespace mrcnn
