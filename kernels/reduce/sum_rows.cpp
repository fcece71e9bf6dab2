#include "kernels/reduce/sum_rows.h"

#include "core/dispatch.h"
#include "core/error.h"
#include "core/primitives.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "sum_rows";

// Enough blocks to fill a GPU or a few cores, few enough that adding up their sums is nothing.
constexpr int64_t kMostBlocks = 256;
constexpr int64_t kLeastRows = 128;

}  // namespace

Tensor sum_rows(const Tensor& input) {
  if (!input.defined() || input.rank() != 2) {
    throw ShapeError("[sum_rows] input must be [R,C]: " + input.describe());
  }
  SumRowsGeometry g{.rows = input.size(0), .columns = input.size(1)};
  g.rows_per_block = std::max(kLeastRows, (g.rows + kMostBlocks - 1) / kMostBlocks);
  const bool is_f64 = input.dtype() == DType::kF64;
  Tensor sums = Tensor::empty({g.columns}, is_f64 ? DType::kF64 : DType::kF32, input.device());
  if (g.rows == 0 || g.columns == 0) {
    fill_(sums, 0);
    return sums;
  }
  const Tensor partial = Tensor::empty(
      {g.blocks(), g.columns}, input.device().is_cpu() ? DType::kF64 : DType::kF32, input.device());
  dispatch_device(
      kOp, input.device(),
      [&] {
        dispatch_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::sum_rows(g, input.data<const T>(), partial.data<double>(), sums.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::sum_rows(g, input.pointer<const T>(), partial.pointer<float>(),
                         sums.pointer<float>(), stream);
        });
      });
  return sums;
}

}  // namespace mrcnn
