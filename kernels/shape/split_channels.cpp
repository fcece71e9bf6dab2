#include "kernels/shape/split_channels.h"

#include <fmt/format.h>

#include <vector>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "split_channels";

Shape with_channels(const Shape& shape, int64_t channels) {
  std::vector<int64_t> extents(shape.extents().begin(), shape.extents().end());
  extents.back() = channels;
  return Shape(std::span<const int64_t>(extents));
}

// A map of `shape` that has `part` from channel `begin` on and is zero elsewhere.
Tensor placed(const Tensor& part, const Shape& shape, int64_t begin) {
  const Tensor whole = Tensor::empty(shape, part.dtype(), part.device());
  const int64_t element = dtype_bytes(part.dtype());
  const int64_t pixels = shape[-1] == 0 ? 0 : shape.numel() / shape[-1];
  const int64_t begin_bytes = begin * element, part_bytes = part.size(-1) * element;
  dispatch_device(
      kOp, part.device(),
      [&] {
        cpu::place_channels(pixels, begin_bytes, part_bytes, shape[-1] * element, part.raw(),
                            whole.raw());
      },
      [&](Stream stream) {
        cuda::place_channels(pixels, begin_bytes, part_bytes, shape[-1] * element, part.raw(),
                             whole.raw(), stream);
      });
  return whole;
}

Tensor record_part(const Tensor& part, const Tensor& input, int64_t begin) {
  return record(kOp, part, {input}, [shape = input.shape(), begin](const Tensor& grad_part) {
    return std::vector<Tensor>{placed(grad_part, shape, begin)};
  });
}

}  // namespace

ChannelParts split_channels(const Tensor& input, int64_t first_channels) {
  if (!input.defined() || input.rank() < 1 || first_channels < 0 ||
      first_channels > input.size(-1)) {
    throw ShapeError(fmt::format("[{}] cannot take {} channels of the last axis: {}", kOp,
                                 first_channels, input.describe()));
  }
  const int64_t channels = input.size(-1);
  const int64_t second_channels = channels - first_channels;
  const ChannelParts parts{.first = Tensor::empty(with_channels(input.shape(), first_channels),
                                                  input.dtype(), input.device()),
                           .second = Tensor::empty(with_channels(input.shape(), second_channels),
                                                   input.dtype(), input.device())};
  const int64_t pixels = channels == 0 ? 0 : input.numel() / channels;
  const int64_t first_bytes = first_channels * dtype_bytes(input.dtype());
  const int64_t second_bytes = second_channels * dtype_bytes(input.dtype());
  dispatch_device(
      kOp, input.device(),
      [&] {
        cpu::split_channels(pixels, first_bytes, second_bytes, input.raw(), parts.first.raw(),
                            parts.second.raw());
      },
      [&](Stream stream) {
        cuda::split_channels(pixels, first_bytes, second_bytes, input.raw(), parts.first.raw(),
                             parts.second.raw(), stream);
      });
  return {.first = record_part(parts.first, input, 0),
          .second = record_part(parts.second, input, first_channels)};
}

}  // namespace mrcnn
