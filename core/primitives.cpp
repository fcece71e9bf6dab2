#include "core/primitives.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>

#include "core/autograd/record.h"
#include "core/cast_math.h"
#include "core/device_memory.h"
#include "core/dispatch.h"
#include "core/dispatch_dtype.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/primitives_cuda.h"
#include "core/target_clones.h"

namespace mrcnn {
namespace {

constexpr int64_t kGrain = 65536;  // elements a chunk: large against the cost of handing one out

void check_pair(const char* op, const Tensor& output, const Tensor& input) {
  if (!output.defined() || !input.defined() || output.shape() != input.shape()) {
    throw ShapeError(std::string("[") + op + "] tensors differ in shape: " + output.describe() +
                     ", " + input.describe());
  }
  if (output.dtype() != input.dtype()) {
    throw DTypeError(std::string("[") + op + "] tensors differ in type: " + output.describe() +
                     ", " + input.describe());
  }
  common_device(op, {&output, &input});
}

// What is on the tape must not change under it; parameters are updated with recording off.
void check_in_place(const char* op, const Tensor& changed) {
  if (needs_grad(changed)) {
    throw UsageError(std::string("[") + op +
                     "] would change a tensor that gradients are recorded " +
                     "for: " + changed.describe());
  }
}

template <typename T>
T fill_value(const Tensor& tensor, double value) {
  const T result = convert<T>(value);
  // 2^63 is no i64, but the largest i64 converts back to it.
  if (std::is_integral_v<T> && (convert<double>(result) != value || value >= 0x1p63)) {
    throw UsageError("[fill_] value " + std::to_string(value) +
                     " cannot be held: " + tensor.describe());
  }
  return result;
}

MRCNN_TARGET_CLONES
void accumulate_f32(int64_t count, float* sum, const float* addend) {
  for (int64_t i = 0; i < count; ++i) sum[i] += addend[i];
}

MRCNN_TARGET_CLONES
void accumulate_f64(int64_t count, double* sum, const double* addend) {
  for (int64_t i = 0; i < count; ++i) sum[i] += addend[i];
}

void cast_on_cpu(const Tensor& input, const Tensor& output) {
  dispatch_dtype(input.dtype(), [&](auto from_tag) {
    dispatch_dtype(output.dtype(), [&](auto to_tag) {
      using From = typename decltype(from_tag)::type;
      using To = typename decltype(to_tag)::type;
      const From* const from = input.data<const From>();
      To* const to = output.data<To>();
      parallel_for(0, input.numel(), kGrain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) to[i] = convert<To>(from[i]);
      });
    });
  });
}

}  // namespace

void fill_(const Tensor& tensor, double value) {
  if (!tensor.defined()) throw ShapeError("[fill_] tensor is undefined");
  check_in_place("fill_", tensor);
  dispatch_dtype(tensor.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T element = fill_value<T>(tensor, value);
    dispatch_device(
        "fill_", tensor.device(),
        [&] {
          T* const data = tensor.data<T>();
          parallel_for(0, tensor.numel(), kGrain, [&](int64_t begin, int64_t end) {
            std::fill(data + begin, data + end, element);
          });
        },
        [&](Stream stream) {
          uint64_t bits = 0;
          std::memcpy(&bits, &element, sizeof(T));
          cuda::fill(tensor.numel(), sizeof(T), bits, tensor.raw(), stream);
        });
  });
}

void copy_(const Tensor& destination, const Tensor& source) {
  check_pair("copy_", destination, source);
  check_in_place("copy_", destination);
  if (!source.device().is_cpu()) {
    copy_on_device(destination.raw(), source.raw(), source.bytes(), source.device());
    return;
  }
  parallel_for(0, source.bytes(), kGrain * 4, [&](int64_t begin, int64_t end) {
    std::memmove(destination.raw() + begin, source.raw() + begin, static_cast<size_t>(end - begin));
  });
}

void accumulate_(const Tensor& sum, const Tensor& addend) {
  check_pair("accumulate_", sum, addend);
  check_in_place("accumulate_", sum);
  const auto on_cpu = [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const to = sum.data<T>();
    const T* const from = addend.data<const T>();
    parallel_for(0, sum.numel(), kGrain, [&](int64_t begin, int64_t end) {
      if constexpr (std::is_same_v<T, float>) {
        accumulate_f32(end - begin, to + begin, from + begin);
      } else {
        accumulate_f64(end - begin, to + begin, from + begin);
      }
    });
  };
  dispatch_device(
      "accumulate_", sum.device(), [&] { dispatch_float("accumulate_", sum.dtype(), on_cpu); },
      [&](Stream stream) {
        dispatch_cuda_float("accumulate_", sum.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::accumulate(sum.numel(), addend.pointer<const T>(), sum.pointer<T>(), stream);
        });
      });
}

Tensor cast(const Tensor& tensor, DType dtype) {
  if (!tensor.defined()) throw ShapeError("[cast] tensor is undefined");
  if (tensor.dtype() == dtype) return tensor.clone();
  Tensor result = Tensor::empty(tensor.shape(), dtype, tensor.device());
  dispatch_device(
      "cast", tensor.device(), [&] { cast_on_cpu(tensor, result); },
      [&](Stream stream) {
        cuda::cast(tensor.numel(), tensor.dtype(), tensor.raw(), dtype, result.raw(), stream);
      });
  if (!is_floating(dtype)) return result;
  return record("cast", result, {tensor}, [from = tensor.dtype()](const Tensor& grad) {
    return std::vector<Tensor>{grad.dtype() == from ? grad : cast(grad, from)};
  });
}

Tensor copy_to(const Tensor& tensor, Device device) {
  if (!tensor.defined() || tensor.device() == device) return tensor;
  if (!device.is_cpu() && !tensor.device().is_cpu()) {
    return copy_to(copy_to(tensor, Device{}), device);
  }
  Tensor copy;
  if (device.is_cpu()) {
    copy = download(std::span(&tensor, 1)).front();
  } else {
    copy = Tensor::empty(tensor.shape(), tensor.dtype(), device);
    upload_bytes(copy.raw(), device, tensor.raw(), tensor.bytes());
  }
  return record("copy_to", copy, {tensor}, [from = tensor.device()](const Tensor& grad) {
    return std::vector<Tensor>{copy_to(grad, from)};
  });
}

std::vector<Tensor> download(std::span<const Tensor> tensors) {
  std::vector<Tensor> results;
  std::vector<HostCopy> copies;
  Device device;
  for (const Tensor& tensor : tensors) {
    if (!tensor.defined() || tensor.device().is_cpu()) {
      results.push_back(tensor.detach().clone());
      continue;
    }
    if (!device.is_cpu() && tensor.device() != device) {
      throw DeviceError("[download] tensors are on different devices: " + tensor.describe());
    }
    device = tensor.device();
    results.push_back(Tensor::empty(tensor.shape(), tensor.dtype()));
    copies.push_back({results.back().raw(), tensor.raw(), tensor.bytes()});
  }
  if (!copies.empty()) download_bytes(copies, device);
  return results;
}

}  // namespace mrcnn
