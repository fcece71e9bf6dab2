#include "kernels/loss/weighted_rows.h"

#include <fmt/format.h>

#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/detection/checks.h"

namespace mrcnn {

LossRows check_loss_rows(const char* op, const char* name, const Tensor& predictions,
                         const Tensor& targets, const Tensor& weights) {
  if (!predictions.defined() || predictions.rank() < 1) {
    throw ShapeError(fmt::format("[{}] {} must be [R, ...]: {}", op, name, predictions.describe()));
  }
  if (!targets.defined() || targets.shape() != predictions.shape()) {
    throw ShapeError(fmt::format("[{}] targets must have the shape of {}: {}, {}", op, name,
                                 targets.describe(), predictions.describe()));
  }
  detection::require_dtype(op, "targets", targets, DType::kF32);
  const int64_t rows = predictions.size(0);
  detection::require_f32(op, "weights", weights, "[R]", {rows});
  return {.rows = rows,
          .columns = rows == 0 ? 0 : predictions.numel() / rows,
          .device = common_device(op, {&predictions, &targets, &weights})};
}

}  // namespace mrcnn
