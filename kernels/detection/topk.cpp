#include "kernels/detection/topk.h"

#include <algorithm>

#include "core/dispatch.h"
#include "kernels/detection/checks.h"

namespace mrcnn {

TopK topk(const Tensor& scores, int64_t k) {
  constexpr const char* kOp = "topk";
  detection::require_f32(kOp, "scores", scores, "[N,M]", {detection::kAny, detection::kAny});
  detection::require_indexable(kOp, "a row", scores.size(1));
  if (k < 0) throw ShapeError(fmt::format("[{}] k is negative: {}", kOp, k));
  const Device device = scores.device();
  const int64_t rows = scores.size(0);
  const int64_t columns = scores.size(1);
  const int64_t taken = std::min(k, columns);
  TopK result{.values = Tensor::empty({rows, taken}, DType::kF32, device),
              .indices = Tensor::empty({rows, taken}, DType::kI32, device)};
  const auto* input = scores.pointer<const float>();
  auto* values = result.values.pointer<float>();
  auto* indices = result.indices.pointer<int32_t>();
  dispatch_device(
      kOp, device, [&] { cpu::topk(rows, columns, taken, input, values, indices); },
      [&](Stream stream) {
        const Tensor workspace =
            Tensor::empty({cuda::topk_workspace_bytes(rows, columns, taken)}, DType::kU8, device);
        cuda::topk(rows, columns, taken, input, values, indices, workspace.raw(), stream);
      });
  return result;
}

}  // namespace mrcnn
