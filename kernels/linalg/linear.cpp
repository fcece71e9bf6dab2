#include "kernels/linalg/linear.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "core/dispatch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "kernels/conv/onednn.h"
#include "kernels/conv/operation_cache.h"

namespace mrcnn {
namespace {

void check_weight(const Tensor& weight, const Tensor& bias) {
  require_cpu("linear", {&weight, &bias});
  if (!weight.defined() || weight.rank() != 2 || weight.numel() == 0) {
    throw ShapeError("[linear] weight must be a filled [O,I]: weight " + weight.describe());
  }
  if (bias.defined() && bias.shape() != Shape{weight.size(0)}) {
    throw ShapeError(
        fmt::format("[linear] bias must have the weight's {} outputs: bias {}, "
                    "weight {}",
                    weight.size(0), bias.describe(), weight.describe()));
  }
  if (bias.defined() && bias.dtype() != weight.dtype()) {
    throw DTypeError(fmt::format("[linear] bias and weight differ in type: bias {}, weight {}",
                                 bias.describe(), weight.describe()));
  }
}

void check_input(const Tensor& input, const Shape& weight, DType weight_dtype) {
  require_cpu("linear", {&input});
  if (!input.defined() || input.rank() != 2 || input.size(1) != weight[1]) {
    throw ShapeError(fmt::format("[linear] input must be [R,{}]: input {}, weight {}", weight[1],
                                 input.describe(), weight.to_string()));
  }
  if (input.dtype() != weight_dtype) {
    throw DTypeError(fmt::format("[linear] weight is {} but input is {}", dtype_name(weight_dtype),
                                 input.describe()));
  }
}

Tensor linear_plain(const Tensor& input, const Tensor& weight, const Tensor& bias, bool relu) {
  const int64_t rows = input.size(0), in = input.size(1), out = weight.size(0);
  const Tensor output = Tensor::empty({rows, out}, DType::kF64);
  const double* const x = input.data<double>();
  const double* const w = weight.data<double>();
  const double* const b = bias.defined() ? bias.data<double>() : nullptr;
  double* const y = output.data<double>();
  parallel_for(0, rows, 1, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin * out; i < end * out; ++i) {
      double sum = b != nullptr ? b[i % out] : 0.0;
      for (int64_t k = 0; k < in; ++k) sum += x[i / out * in + k] * w[i % out * in + k];
      y[i] = relu ? std::max(sum, 0.0) : sum;
    }
  });
  return output;
}

// A product is the 1x1 convolution of an image one pixel high: oneDNN's convolution is faster than
// its inner product (75 instead of 87 ms for 1000 x 12544 to 1024 on two cores) and never splits
// the sum of one output over threads, so that the result does not depend on their number.
onednn::ConvGeometry geometry_of(int64_t rows, const Shape& weight) {
  return {.batch = 1,
          .height = 1,
          .width = rows,
          .channels = weight[1],
          .out_channels = weight[0],
          .out_height = 1,
          .out_width = rows};
}

}  // namespace

Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias, bool relu) {
  check_weight(weight, bias);
  check_input(input, weight.shape(), weight.dtype());
  if (weight.dtype() == DType::kF32) return PreparedLinear(weight, bias, relu).run(input);
  if (weight.dtype() != DType::kF64) {
    throw DTypeError("[linear] takes f32 or f64: weight " + weight.describe());
  }
  return linear_plain(input, weight, bias, relu);
}

class PreparedLinear::Impl {
 public:
  Impl(const Tensor& weight, const Tensor& bias, bool relu)
      : weight_shape_(weight.shape()),
        bias_(bias),
        relu_(relu),
        cache_(weight, onednn::plain_conv_weight(geometry_of(1, weight.shape()))) {}

  const Shape& weight_shape() const { return weight_shape_; }

  void run_into(const Tensor& input, const Tensor& output) {
    if (input.size(0) == 0) return;
    onednn::translate_errors("linear", [&] {
      const auto prepared = cache_.get(input.size(0), [&] {
        return onednn::make_convolution(geometry_of(input.size(0), weight_shape_),
                                        {.bias = bias_.defined(), .relu = relu_});
      });
      onednn::execute(prepared.operation, input, prepared.weight, bias_, {}, output);
    });
  }

 private:
  Shape weight_shape_;
  Tensor bias_;
  bool relu_;
  onednn::OperationCache<int64_t> cache_;
};

PreparedLinear::PreparedLinear(const Tensor& weight, const Tensor& bias, bool relu) {
  check_weight(weight, bias);
  if (weight.dtype() != DType::kF32) {
    throw DTypeError("[linear] only f32 weights can be prepared: weight " + weight.describe());
  }
  impl_ = std::make_unique<Impl>(weight, bias, relu);
}

PreparedLinear::~PreparedLinear() = default;
PreparedLinear::PreparedLinear(PreparedLinear&&) noexcept = default;
PreparedLinear& PreparedLinear::operator=(PreparedLinear&&) noexcept = default;

Tensor PreparedLinear::run(const Tensor& input) const {
  check_input(input, weight_shape(), DType::kF32);
  Tensor output = Tensor::empty({input.size(0), weight_shape()[0]});
  impl_->run_into(input, output);
  return output;
}

void PreparedLinear::run_into(const Tensor& input, const Tensor& output) const {
  check_input(input, weight_shape(), DType::kF32);
  if (output.shape() != Shape{input.size(0), weight_shape()[0]} || output.dtype() != DType::kF32) {
    throw ShapeError(fmt::format("[linear] output must be f32 [{},{}]: output {}", input.size(0),
                                 weight_shape()[0], output.describe()));
  }
  impl_->run_into(input, output);
}

const Shape& PreparedLinear::weight_shape() const { return impl_->weight_shape(); }

int64_t PreparedLinear::flops(int64_t rows) const { return 2 * rows * weight_shape().numel(); }

}  // namespace mrcnn
