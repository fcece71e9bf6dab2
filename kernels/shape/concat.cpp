#include "kernels/shape/concat.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "core/autograd/record.h"
#include "core/device_memory.h"
#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "concat";

void check_inputs(std::span<const Tensor> inputs) {
  if (inputs.empty()) throw ShapeError("[concat] needs at least one tensor");
  const Tensor& first = inputs[0];
  for (const Tensor& input : inputs) {
    if (!input.defined() || input.rank() < 1) {
      throw ShapeError(fmt::format("[{}] input must be [M, ...]: {}", kOp, input.describe()));
    }
    const auto tail = input.shape().extents().subspan(1);
    const auto first_tail = first.shape().extents().subspan(1);
    if (!std::equal(tail.begin(), tail.end(), first_tail.begin(), first_tail.end())) {
      throw ShapeError(fmt::format("[{}] inputs differ beyond axis 0: {}, {}", kOp,
                                   first.describe(), input.describe()));
    }
    if (input.dtype() != first.dtype()) {
      throw DTypeError(fmt::format("[{}] inputs differ in type: {}, {}", kOp, first.describe(),
                                   input.describe()));
    }
    common_device(kOp, {&first, &input});
  }
}

// A GPU's kernels read a gradient in steps of 16 bytes; rows that start between them are copied.
Tensor rows_of(const Tensor& grad, int64_t begin, int64_t end) {
  const Tensor rows = grad.slice(begin, end);
  const bool is_aligned = std::bit_cast<uintptr_t>(rows.raw()) % 16 == 0;
  return is_aligned || rows.device().is_cpu() ? rows : rows.clone();
}

}  // namespace

Tensor concat(std::span<const Tensor> inputs) {
  check_inputs(inputs);
  const auto first_extents = inputs[0].shape().extents();
  std::vector<int64_t> extents(first_extents.begin(), first_extents.end());
  extents[0] = 0;
  for (const Tensor& input : inputs) extents[0] += input.size(0);
  const Device device = inputs[0].device();
  Tensor output =
      Tensor::empty(Shape(std::span<const int64_t>(extents)), inputs[0].dtype(), device);
  std::byte* next = output.raw();
  for (const Tensor& input : inputs) {
    if (device.is_cpu()) {
      std::memcpy(next, input.raw(), static_cast<size_t>(input.bytes()));
    } else {
      copy_on_device(next, input.raw(), input.bytes(), device);
    }
    next += input.bytes();
  }
  std::vector<int64_t> rows;
  for (const Tensor& input : inputs) rows.push_back(input.size(0));
  return record(kOp, output, {inputs.begin(), inputs.end()}, [rows](const Tensor& grad_output) {
    std::vector<Tensor> gradients;
    int64_t begin = 0;
    for (const int64_t count : rows) {
      gradients.push_back(rows_of(grad_output, begin, begin + count));
      begin += count;
    }
    return gradients;
  });
}

}  // namespace mrcnn
