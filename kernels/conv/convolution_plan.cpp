#include "kernels/conv/convolution_plan.h"

#include <fmt/format.h>

#include "core/error.h"

namespace mrcnn::cuda {
namespace {

const char* name_of(ConvolutionPass pass) {
  switch (pass) {
    case ConvolutionPass::kForward:
      return "forward";
    case ConvolutionPass::kDataGradient:
      return "data gradient";
    case ConvolutionPass::kWeightGradient:
      break;
  }
  return "weight gradient";
}

const char* problem_with(const ConvolutionProblem& p) {
  if (p.dtype != DType::kF32 && p.dtype != DType::kBF16) return "takes f32 or bf16";
  if (p.tf32 && p.dtype != DType::kF32) return "multiplies f32 tensors only in TF32";
  if (p.pass != ConvolutionPass::kForward && (p.bias || p.residual || p.relu)) {
    return "gradients have no epilogue";
  }
  if (p.batch < 0 || p.channels < 1 || p.out_channels < 1) return "has a size below one";
  const auto fits = [&](size_t axis, int64_t in, int64_t out) {
    return p.stride[axis] > 0 && p.kernel[axis] > 0 && p.padding[axis] >= 0 && out > 0 &&
           out == (in + 2 * p.padding[axis] - p.kernel[axis]) / p.stride[axis] + 1;
  };
  return fits(0, p.height, p.out_height) && fits(1, p.width, p.out_width)
             ? nullptr
             : "output size does not belong to the input's";
}

}  // namespace

std::string describe(const ConvolutionProblem& p) {
  std::string text =
      fmt::format("{} {}x{}x{}x{} * {}x{}x{}x{} stride {}x{} padding {}x{}", name_of(p.pass),
                  p.batch, p.height, p.width, p.channels, p.out_channels, p.kernel[0], p.kernel[1],
                  p.channels, p.stride[0], p.stride[1], p.padding[0], p.padding[1]);
  if (p.bias) text += " + bias";
  if (p.residual) text += " + residual";
  if (p.relu) text += " + relu";
  return text + ", " + (p.tf32 ? "tf32" : std::string(dtype_name(p.dtype)));
}

void check_convolution_problem(const ConvolutionProblem& problem) {
  const char* const fault = problem_with(problem);
  if (fault != nullptr) {
    throw ShapeError(fmt::format("[convolution] {}: {}, output {}x{}", fault, describe(problem),
                                 problem.out_height, problem.out_width));
  }
}

}  // namespace mrcnn::cuda
