// What cuDNN and cuBLASLt do on a GPU, done by the CPU's ops on the emulated device's memory.
// bf16 is computed in f32 and rounded once at the end, as the libraries' fused kernels do. TF32 is
// computed in f32: the products are more exact than on a GPU.
#include <cstddef>
#include <memory>

#include "core/error.h"
#include "core/primitives.h"
#include "core/tensor.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv2d_backward.h"
#include "kernels/conv/convolution_plan.h"
#include "kernels/linalg/gemm_plan.h"
#include "kernels/linalg/matmul.h"
#include "tests/emulation/emulated_cuda.h"

namespace mrcnn::cuda {
namespace {

// The emulated device's memory as a tensor of the CPU, which is not copied.
Tensor view(const void* memory, const Shape& shape, DType dtype) {
  if (memory == nullptr) return {};
  const auto* const bytes = static_cast<const std::byte*>(memory);
  return Tensor::borrow(std::shared_ptr<const std::byte>(bytes, [](const std::byte*) {}), shape,
                        dtype);
}

Tensor as_f32(const void* memory, const Shape& shape, DType dtype) {
  const Tensor tensor = view(memory, shape, dtype);
  return !tensor.defined() || dtype == DType::kF32 ? tensor : cast(tensor, DType::kF32);
}

void store(const Tensor& result, void* output, DType dtype) {
  copy_(view(output, result.shape(), dtype), cast(result, dtype));
}

void convolve(const ConvolutionProblem& p, const void* input, const void* weight, const float* bias,
              const void* residual, void* output) {
  const Shape in_shape{p.batch, p.height, p.width, p.channels};
  const Shape weight_shape{p.out_channels, p.kernel[0], p.kernel[1], p.channels};
  const Shape out_shape{p.batch, p.out_height, p.out_width, p.out_channels};
  const Conv2dParams params{.stride = p.stride, .padding = p.padding, .relu = p.relu};
  switch (p.pass) {
    case ConvolutionPass::kForward: {
      const PreparedConv2d direct(as_f32(weight, weight_shape, p.dtype),
                                  view(bias, {p.out_channels}, DType::kF32), params,
                                  Conv2dAlgorithm::kDirect);
      return store(
          direct.run(as_f32(input, in_shape, p.dtype), as_f32(residual, out_shape, p.dtype)),
          output, p.dtype);
    }
    case ConvolutionPass::kDataGradient:
      return store(conv2d_grad_input(as_f32(input, out_shape, p.dtype),
                                     as_f32(weight, weight_shape, p.dtype), in_shape, params),
                   output, p.dtype);
    case ConvolutionPass::kWeightGradient:
      return store(conv2d_grad_weight(as_f32(weight, out_shape, p.dtype),
                                      as_f32(input, in_shape, p.dtype), weight_shape, params),
                   output, p.dtype);
  }
}

// A product without epilogue, whose operands may be stored transposed.
void multiply_transposed(const GemmProblem& p, const void* input, const void* weight,
                         void* output) {
  const Shape input_shape = p.input_transposed ? Shape{p.in, p.rows} : Shape{p.rows, p.in};
  const Shape weight_shape = p.weight_transposed ? Shape{p.in, p.out} : Shape{p.out, p.in};
  store(matmul(as_f32(input, input_shape, p.dtype), as_f32(weight, weight_shape, p.dtype),
               {.a_transposed = p.input_transposed, .b_transposed = !p.weight_transposed}),
        output, p.dtype);
}

// The 1x1 convolution of an image one pixel high, because that takes a residual.
void multiply(const GemmProblem& p, const void* input, const void* weight, const void* bias,
              DType bias_dtype, const void* residual, void* output) {
  if (p.input_transposed || p.weight_transposed) {
    return multiply_transposed(p, input, weight, output);
  }
  const Tensor bias_f32 = as_f32(bias, {p.out}, bias_dtype);
  convolve({.batch = 1,
            .height = 1,
            .width = p.rows,
            .channels = p.in,
            .out_channels = p.out,
            .out_height = 1,
            .out_width = p.rows,
            .dtype = p.dtype,
            .relu = p.relu},
           input, weight, bias_f32.defined() ? bias_f32.data<const float>() : nullptr, residual,
           output);
}

void enqueue(Stream stream, const char* name, std::function<void()> work) {
  const cudaError_t status = emu::enqueue_host_work(stream, name, std::move(work));
  if (status != cudaSuccess) throw CudaError(std::string("[") + name + "] was refused");
}

}  // namespace

void run_convolution(const ConvolutionProblem& problem, const void* input, const void* weight,
                     const float* bias, const void* residual, void* output, Stream stream) {
  enqueue(stream, "convolution", [=] { convolve(problem, input, weight, bias, residual, output); });
}

void run_gemm(const GemmProblem& problem, const void* input, const void* weight, const float* bias,
              const void* residual, void* output, Stream stream) {
  enqueue(stream, "gemm",
          [=] { multiply(problem, input, weight, bias, DType::kF32, residual, output); });
}

void run_gemm(const GemmProblem& problem, const void* input, const void* weight,
              const BFloat16* bias, const void* residual, void* output, Stream stream) {
  enqueue(stream, "gemm",
          [=] { multiply(problem, input, weight, bias, DType::kBF16, residual, output); });
}

}  // namespace mrcnn::cuda
