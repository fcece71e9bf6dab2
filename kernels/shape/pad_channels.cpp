#include "kernels/shape/pad_channels.h"

#include <fmt/format.h>

#include <functional>
#include <numeric>
#include <span>
#include <vector>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "pad_channels";

// input [..., channels_in] -> [..., channels]: padded or cut.
Tensor with_channels(const Tensor& input, int64_t channels) {
  const std::span<const int64_t> extents = input.shape().extents();
  std::vector<int64_t> changed(extents.begin(), extents.end());
  changed.back() = channels;
  const Shape shape{std::span<const int64_t>(changed)};
  const int64_t rows =
      std::accumulate(extents.begin(), extents.end() - 1, int64_t{1}, std::multiplies<int64_t>());
  const PadChannelsGeometry geometry{
      .rows = rows, .channels_in = extents.back(), .channels_out = channels};
  Tensor output;
  dispatch_device(
      kOp, input.device(),
      [&] {
        dispatch_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          output = Tensor::empty(shape, input.dtype());
          cpu::pad_channels(geometry, input.data<const T>(), output.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          output = Tensor::empty(shape, input.dtype(), input.device());
          cuda::pad_channels(geometry, input.pointer<const T>(), output.pointer<T>(), stream);
        });
      });
  return output;
}

}  // namespace

Tensor pad_channels(const Tensor& input, int64_t channels) {
  if (!input.defined() || input.rank() < 1) {
    throw ShapeError(
        fmt::format("[{}] input must have an axis of channels: {}", kOp, input.describe()));
  }
  const int64_t channels_in = input.size(input.rank() - 1);
  if (channels < channels_in) {
    throw ShapeError(fmt::format("[{}] input has {} channels, more than the {} wanted: {}", kOp,
                                 channels_in, channels, input.describe()));
  }
  if (channels == channels_in) return input;
  return record(kOp, with_channels(input, channels), {input},
                [channels_in](const Tensor& grad_output) {
                  return std::vector<Tensor>{with_channels(grad_output, channels_in)};
                });
}

}  // namespace mrcnn
