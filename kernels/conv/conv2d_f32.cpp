#include "kernels/conv/conv2d_f32.h"

#include <bit>

#include "kernels/conv/conv2d_cpu.h"
#include "kernels/conv/conv2d_sparse_gradient.h"
#include "kernels/conv/conv2d_weight_gradient.h"
#include "kernels/conv/onednn_cache.h"
#include "kernels/conv/winograd.h"
#include "kernels/conv/winograd_weight_gradient.h"

namespace mrcnn::cpu {
namespace {

bool runs_winograd(const Shape& input, const Shape& weight, const Conv2dParams& params) {
  return !strict_convolution() && !winograd_kernels().empty() &&
         WinogradConv2d::supports(weight, params) && use_winograd_once(input);
}

onednn::ConvGeometry geometry_of(const Tensor& input, const Tensor& weight, const Tensor& output,
                                 const Conv2dParams& params) {
  return {.batch = input.size(0),
          .height = input.size(1),
          .width = input.size(2),
          .channels = input.size(3),
          .out_channels = weight.size(0),
          .out_height = output.size(1),
          .out_width = output.size(2),
          .kernel = {weight.size(1), weight.size(2)},
          .stride = params.stride,
          .padding = params.padding};
}

// Calls f(begin, end) for parts of a batch that are powers of two long, so that a number of RoIs
// that changes from step to step compiles little.
template <typename F>
void for_each_part(int64_t batch, const F& f) {
  for (int64_t begin = 0; begin < batch;) {
    const auto left = static_cast<uint64_t>(batch - begin);
    const int64_t end = begin + static_cast<int64_t>(std::bit_floor(left));
    f(begin, end);
    begin = end;
  }
}

// The weight in the layouts that operations want; mostly it is one for all of them.
class PackedWeight {
 public:
  PackedWeight(const Tensor& weight, const onednn::ConvGeometry& geometry)
      : plain_(weight), plain_layout_(onednn::plain_conv_weight(geometry)) {}

  const Tensor& as(const dnnl::memory::desc& layout) {
    if (!packed_.defined() || layout != layout_) {
      packed_ = onednn::pack(plain_, plain_layout_, layout);
      layout_ = layout;
    }
    return packed_;
  }

 private:
  Tensor plain_;
  dnnl::memory::desc plain_layout_;
  Tensor packed_{};
  dnnl::memory::desc layout_{};
};

}  // namespace

void conv2d_f32(const Tensor& input, const Tensor& weight, const Tensor& bias,
                const Tensor& residual, const Conv2dParams& params, const Tensor& output) {
  if (runs_winograd(input.shape(), weight.shape(), params)) {
    WinogradConv2d(weight, winograd_kernels().front())
        .run(input, bias, residual, params.relu, output);
    return;
  }
  onednn::translate_errors("conv2d", [&] {
    onednn::OperationKey key{.geometry = geometry_of(input, weight, output, params),
                             .epilogue = {.bias = bias.defined(),
                                          .residual = residual.defined() ? onednn::Residual::kTensor
                                                                         : onednn::Residual::kNone,
                                          .relu = params.relu}};
    PackedWeight packed(weight, key.geometry);
    for_each_part(input.size(0), [&](int64_t begin, int64_t end) {
      key.geometry.batch = end - begin;
      const onednn::Operation operation = onednn::cached_operation(key);
      onednn::execute(operation, input.slice(begin, end), packed.as(operation.weight), bias,
                      residual.defined() ? residual.slice(begin, end) : Tensor{},
                      output.slice(begin, end));
    });
  });
}

void conv2d_grad_input_f32(const Tensor& grad_output, const Tensor& weight,
                           const Conv2dParams& params, const Tensor& grad_input) {
  if (const auto pixels = few_nonzero_pixels(grad_output)) {
    sparse_grad_input(*pixels, grad_output, weight, params, grad_input);
    return;
  }
  if (runs_winograd(grad_input.shape(), weight.shape(), params)) {
    WinogradConv2d(weight, winograd_kernels().front(), WinogradDirection::kDataGradient)
        .run(grad_output, {}, {}, false, grad_input);
    return;
  }
  onednn::translate_errors("conv2d_grad_input", [&] {
    onednn::OperationKey key{.pass = onednn::Pass::kDataGradient,
                             .geometry = geometry_of(grad_input, weight, grad_output, params)};
    PackedWeight packed(weight, key.geometry);
    for_each_part(grad_input.size(0), [&](int64_t begin, int64_t end) {
      key.geometry.batch = end - begin;
      const onednn::Operation operation = onednn::cached_operation(key);
      onednn::execute_data_gradient(operation, grad_output.slice(begin, end),
                                    packed.as(operation.weight), grad_input.slice(begin, end));
    });
  });
}

void conv2d_grad_weight_f32(const Tensor& grad_output, const Tensor& input,
                            const Conv2dParams& params, const Tensor& grad_weight) {
  if (const auto pixels = few_nonzero_pixels(grad_output)) {
    sparse_grad_weight(*pixels, grad_output, input, params, grad_weight);
  } else if (winograd_kernels().empty()) {
    conv2d_grad_weight_plain(grad_output, input, params, grad_weight);
  } else if (runs_winograd(input.shape(), grad_weight.shape(), params)) {
    winograd_weight_gradient(input, grad_output, winograd_kernels().front(), grad_weight);
  } else {
    conv2d_weight_gradient(input, grad_output, params, winograd_kernels().front(), grad_weight);
  }
}

}  // namespace mrcnn::cpu
