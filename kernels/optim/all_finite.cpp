#include "kernels/optim/all_finite.h"

#include "core/dispatch.h"
#include "core/primitives.h"

namespace mrcnn {

Tensor all_finite(std::span<const Tensor> tensors) {
  constexpr const char* kOp = "all_finite";
  const Tensor first = check_one_kind(kOp, tensors);
  const Tensor flag = Tensor::empty({1}, DType::kI32, first.device());
  fill_(flag, 1);
  dispatch_device(
      kOp, flag.device(),
      [&] {
        dispatch_float(kOp, first.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          if (!cpu::all_finite(read_items<T>(tensors))) flag.data<int32_t>()[0] = 0;
        });
      },
      [&](Stream stream) {
        cuda::all_finite(read_items<float>(tensors), flag.pointer<int32_t>(), stream);
      });
  return flag;
}

}  // namespace mrcnn
