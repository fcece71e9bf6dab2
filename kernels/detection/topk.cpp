#include "kernels/detection/topk.h"

#include <algorithm>

#include "kernels/detection/checks.h"

namespace mrcnn {

TopK topk(const Tensor& scores, int64_t k) {
  constexpr const char* kOp = "topk";
  detection::require_f32(kOp, "scores", scores, "[N,M]", {detection::kAny, detection::kAny});
  detection::require_indexable(kOp, "a row", scores.size(1));
  if (k < 0) throw ShapeError(fmt::format("[{}] k is negative: {}", kOp, k));
  const int64_t taken = std::min(k, scores.size(1));
  TopK result{.values = Tensor::empty({scores.size(0), taken}),
              .indices = Tensor::empty({scores.size(0), taken}, DType::kI32)};
  cpu::topk(scores.size(0), scores.size(1), taken, scores.data<const float>(),
            result.values.data<float>(), result.indices.data<int32_t>());
  return result;
}

}  // namespace mrcnn
