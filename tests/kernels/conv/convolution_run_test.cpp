// Convolutions and products of the vendor's libraries on a real GPU against their definitions: all
// passes and precisions, on tensors small enough for plain loops.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/graph.h"
#include "core/primitives.h"
#include "core/stream.h"
#include "kernels/conv/convolution_plan.h"
#include "kernels/linalg/gemm_plan.h"
#include "layers/execution.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"
#include "tools/bench/model_convolutions.h"

namespace mrcnn {
namespace {

using cuda::ConvolutionPass;
using cuda::ConvolutionProblem;
using cuda::GemmProblem;
using test::random_tensor;

constexpr std::array kPrecisions = {Precision::kFp32, Precision::kTf32, Precision::kBf16};

ConvolutionProblem problem_of(int64_t batch, int64_t size, int64_t channels, int64_t out_channels,
                              int64_t kernel, int64_t stride) {
  const int64_t padding = kernel / 2;
  const auto out = [&](int64_t extent) { return (extent + 2 * padding - kernel) / stride + 1; };
  return {.batch = batch,
          .height = size,
          .width = size + 3,
          .channels = channels,
          .out_channels = out_channels,
          .out_height = out(size),
          .out_width = out(size + 3),
          .kernel = {kernel, kernel},
          .stride = {stride, stride},
          .padding = {padding, padding}};
}

std::vector<ConvolutionProblem> geometries() {
  return {problem_of(1, 14, 16, 24, 3, 1), problem_of(2, 13, 8, 16, 3, 2),
          problem_of(1, 32, 8, 64, 7, 2), problem_of(2, 12, 32, 64, 1, 2)};
}

struct Shapes {
  Shape input, weight, output;
};

Shapes shapes_of(const ConvolutionProblem& p) {
  return {{p.batch, p.height, p.width, p.channels},
          {p.out_channels, p.kernel[0], p.kernel[1], p.channels},
          {p.batch, p.out_height, p.out_width, p.out_channels}};
}

// Calls f(input element, weight element, output element) for every product of a convolution.
template <typename F>
void each_product(const ConvolutionProblem& p, const F& f) {
  for (int64_t n = 0; n < p.batch; ++n) {
    for (int64_t oh = 0; oh < p.out_height; ++oh) {
      for (int64_t ow = 0; ow < p.out_width; ++ow) {
        for (int64_t kh = 0; kh < p.kernel[0]; ++kh) {
          for (int64_t kw = 0; kw < p.kernel[1]; ++kw) {
            const int64_t h = oh * p.stride[0] + kh - p.padding[0];
            const int64_t w = ow * p.stride[1] + kw - p.padding[1];
            if (h < 0 || h >= p.height || w < 0 || w >= p.width) continue;
            const int64_t in = ((n * p.height + h) * p.width + w) * p.channels;
            const int64_t out = ((n * p.out_height + oh) * p.out_width + ow) * p.out_channels;
            for (int64_t o = 0; o < p.out_channels; ++o) {
              const int64_t tap = ((o * p.kernel[0] + kh) * p.kernel[1] + kw) * p.channels;
              for (int64_t c = 0; c < p.channels; ++c) f(in + c, tap + c, out + o);
            }
          }
        }
      }
    }
  }
}

// The definition, in f64 until the end.
Tensor convolve(const ConvolutionProblem& p, const Tensor& first, const Tensor& second,
                const Tensor& bias, const Tensor& residual, const Shape& shape) {
  const Tensor result = Tensor::empty(shape);
  std::vector<double> sums(static_cast<size_t>(result.numel()), 0.0);
  const float* const a = first.data<const float>();
  const float* const b = second.data<const float>();
  each_product(p, [&](int64_t in, int64_t weight, int64_t out) {
    if (p.pass == ConvolutionPass::kForward) {
      sums[static_cast<size_t>(out)] += double{a[in]} * b[weight];
    } else if (p.pass == ConvolutionPass::kDataGradient) {
      sums[static_cast<size_t>(in)] += double{a[out]} * b[weight];
    } else {
      sums[static_cast<size_t>(weight)] += double{a[in]} * b[out];
    }
  });
  for (int64_t i = 0; i < result.numel(); ++i) {
    double value = sums[static_cast<size_t>(i)];
    if (p.bias) value += bias.data<const float>()[i % p.out_channels];
    if (p.residual) value += residual.data<const float>()[i];
    result.data<float>()[i] = static_cast<float>(p.relu ? std::max(value, 0.0) : value);
  }
  return result;
}

// Of sums of up to some thousand products of numbers below one. TF32 keeps 11 bits of a factor.
int64_t count_wrong(const Tensor& actual, const Tensor& expected, const ConvolutionProblem& p) {
  if (p.dtype == DType::kBF16) {
    return test::count_far(actual, expected, test::kBf16Rounding, 1e-3F);
  }
  return p.tf32 ? test::count_far(actual, expected, 2e-3F, 3e-2F)
                : test::count_far(actual, expected, 1e-5F, 1e-4F);
}

// A tensor as the problem reads it: on the device in its type, and that on the CPU in f32.
struct Operand {
  Operand(const Shape& shape, uint64_t seed, DType dtype, Device device)
      : on_device(copy_to(cast(random_tensor(shape, seed), dtype), device)),
        values(cast(cast(random_tensor(shape, seed), dtype), DType::kF32)) {}
  Tensor on_device, values;
};

void check_convolution(const ConvolutionProblem& p, Device device) {
  CAPTURE(cuda::describe(p));
  const Shapes shapes = shapes_of(p);
  const bool from_output = p.pass == ConvolutionPass::kDataGradient;
  const bool to_weight = p.pass == ConvolutionPass::kWeightGradient;
  const Operand input(from_output ? shapes.output : shapes.input, 1, p.dtype, device);
  const Operand weight(to_weight ? shapes.output : shapes.weight, 2, p.dtype, device);
  const Operand bias({p.out_channels}, 3, DType::kF32, device);
  const Operand residual(shapes.output, 4, p.dtype, device);
  const Shape shape = from_output ? shapes.input : to_weight ? shapes.weight : shapes.output;
  const Tensor output = Tensor::empty(shape, p.dtype, device);
  const auto run = [&] {
    cuda::run_convolution(p, input.on_device.raw(), weight.on_device.raw(),
                          p.bias ? bias.on_device.pointer<const float>() : nullptr,
                          p.residual ? residual.on_device.raw() : nullptr, output.raw(),
                          device_stream(device));
  };
  run();
  const Tensor first = copy_to(output, Device{});
  CHECK(count_wrong(first,
                    convolve(p, input.values, weight.values, bias.values, residual.values, shape),
                    p) == 0);
  run();
  CHECK(test::count_different_bits(output, first) == 0);
}

void check_product(const GemmProblem& p, bool bf16_bias, Device device) {
  CAPTURE(cuda::describe(p));
  const Operand input({p.rows, p.in}, 1, p.dtype, device);
  const Operand weight({p.out, p.in}, 2, p.dtype, device);
  const Operand bias({p.out}, 3, bf16_bias ? DType::kBF16 : DType::kF32, device);
  const Operand residual({p.rows, p.out}, 4, p.dtype, device);
  const Tensor output = Tensor::empty({p.rows, p.out}, p.dtype, device);
  const void* const added = p.residual ? residual.on_device.raw() : nullptr;
  const Stream stream = device_stream(device);
  if (bf16_bias) {
    cuda::run_gemm(p, input.on_device.raw(), weight.on_device.raw(),
                   bias.on_device.pointer<const BFloat16>(), added, output.raw(), stream);
  } else {
    cuda::run_gemm(p, input.on_device.raw(), weight.on_device.raw(),
                   p.bias ? bias.on_device.pointer<const float>() : nullptr, added, output.raw(),
                   stream);
  }
  const ConvolutionProblem same{.batch = 1,
                                .height = p.rows,
                                .width = 1,
                                .channels = p.in,
                                .out_channels = p.out,
                                .out_height = p.rows,
                                .out_width = 1,
                                .dtype = p.dtype,
                                .tf32 = p.tf32,
                                .bias = p.bias,
                                .residual = p.residual,
                                .relu = p.relu};
  CHECK(count_wrong(output,
                    convolve(same, input.values, weight.values, bias.values, residual.values,
                             {p.rows, p.out}),
                    same) == 0);
}

TEST_CASE("Rejects operands that the problem does not name, and addresses between 16 bytes") {
  ConvolutionProblem problem = geometries().front();
  alignas(16) float memory[8] = {};
  CHECK_THROWS_WITH_AS(
      cuda::run_convolution(problem, memory, memory, memory, nullptr, memory, nullptr),
      doctest::Contains("without being asked for"), Error);
  CHECK_THROWS_WITH_AS(
      cuda::run_convolution(problem, memory, memory + 1, nullptr, nullptr, memory, nullptr),
      doctest::Contains("multiple of 16 bytes"), Error);
  const GemmProblem product{.rows = 1, .in = 1, .out = 1, .residual = true};
  CHECK_THROWS_WITH_AS(cuda::run_gemm(product, memory, memory, static_cast<const float*>(nullptr),
                                      nullptr, memory, nullptr),
                       doctest::Contains("not given"), Error);
}

TEST_CASE("CUDA convolutions equal their definition, the same bits every time") {
  test::on_cuda([](Device device) {
    for (const ConvolutionProblem& geometry : geometries()) {
      for (const Precision precision : kPrecisions) {
        for (const bool residual : {false, true}) {
          ConvolutionProblem problem = with_precision(geometry, precision);
          problem.bias = problem.relu = true;
          problem.residual = residual;
          check_convolution(problem, device);
        }
        for (const auto pass : {ConvolutionPass::kForward, ConvolutionPass::kDataGradient,
                                ConvolutionPass::kWeightGradient}) {
          check_convolution(as_pass(with_precision(geometry, precision), pass), device);
        }
      }
    }
  });
}

TEST_CASE("CUDA convolutions chosen by timing equal their definition") {
  test::on_cuda([](Device device) {
    cuda::set_convolution_autotune(true);
    ConvolutionProblem problem = with_precision(problem_of(1, 15, 16, 32, 3, 1), Precision::kBf16);
    problem.bias = problem.residual = problem.relu = true;
    check_convolution(problem, device);
    cuda::set_convolution_autotune(false);
  });
}

TEST_CASE("CUDA products equal their definition") {
  test::on_cuda([](Device device) {
    for (const int64_t out : {15, 40, 64}) {
      for (const Precision precision : kPrecisions) {
        GemmProblem problem{.rows = 37,
                            .in = 48,
                            .out = out,
                            .dtype = precision == Precision::kBf16 ? DType::kBF16 : DType::kF32,
                            .tf32 = precision == Precision::kTf32};
        check_product(problem, false, device);
        problem.bias = problem.residual = problem.relu = true;
        check_product(problem, false, device);
        if (precision == Precision::kBf16) check_product(problem, true, device);
      }
    }
  });
}

TEST_CASE("CUDA gradients of an empty batch are zero") {
  test::on_cuda([](Device device) {
    ConvolutionProblem problem = geometries().front();
    problem.batch = 0;
    problem.pass = ConvolutionPass::kWeightGradient;
    const Shape shape = shapes_of(problem).weight;
    const Tensor output = copy_to(random_tensor(shape, 1), device);
    cuda::run_convolution(problem, nullptr, nullptr, nullptr, nullptr, output.raw(),
                          device_stream(device));
    CHECK(test::count_different_bits(output, Tensor::zeros(shape)) == 0);
  });
}

TEST_CASE("CUDA graphs refuse a convolution that never ran, and replay one that did") {
  test::on_cuda([](Device device) {
    ConvolutionProblem problem = problem_of(1, 11, 16, 16, 3, 1);
    const Shapes shapes = shapes_of(problem);
    const Operand input(shapes.input, 1, DType::kF32, device);
    const Operand weight(shapes.weight, 2, DType::kF32, device);
    const Tensor output = Tensor::zeros(shapes.output, DType::kF32, device);
    const auto run = [&] {
      cuda::run_convolution(problem, input.on_device.raw(), weight.on_device.raw(), nullptr,
                            nullptr, output.raw(), device_stream(device));
    };
    MemoryArena arena(device);
    CapturedGraph graph(device, arena);
    graph.capture([&] {
      run();
      return 0;
    });
    graph.replay();
    CHECK(count_wrong(output, convolve(problem, input.values, weight.values, {}, {}, shapes.output),
                      problem) == 0);

    CapturedGraph other(device, arena);
    problem.relu = true;
    bool warm = false;
    CHECK_THROWS_WITH_AS(other.capture([&] {
      if (warm) run();
      warm = true;
      return 0;
    }),
                         doctest::Contains("before the convolution ran once"), CudaError);
  });
}

}  // namespace
}  // namespace mrcnn
