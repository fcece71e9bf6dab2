#include "kernels/shape/split_channels.h"

#include <fmt/format.h>

#include <vector>

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

}  // namespace

ChannelParts split_channels(const Tensor& input, int64_t first_channels) {
  if (!input.defined() || input.rank() < 1 || first_channels < 0 ||
      first_channels > input.size(-1)) {
    throw ShapeError(fmt::format("[{}] cannot take {} channels of the last axis: {}", kOp,
                                 first_channels, input.describe()));
  }
  const int64_t channels = input.size(-1);
  const int64_t second_channels = channels - first_channels;
  ChannelParts parts{.first = Tensor::empty(with_channels(input.shape(), first_channels),
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
  return parts;
}

}  // namespace mrcnn
