#include "kernels/conv/convolution_plan.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "kernels/linalg/gemm_plan.h"

namespace mrcnn::cuda {
namespace {

const ConvolutionProblem kConvolution{.batch = 1,
                                      .height = 21,
                                      .width = 24,
                                      .channels = 32,
                                      .out_channels = 16,
                                      .out_height = 11,
                                      .out_width = 12,
                                      .kernel = {3, 3},
                                      .stride = {2, 2},
                                      .padding = {1, 1},
                                      .dtype = DType::kBF16,
                                      .bias = true,
                                      .relu = true};
const GemmProblem kProduct{
    .rows = 5, .in = 7, .out = 3, .dtype = DType::kF32, .tf32 = true, .residual = true};

template <typename Change>
ConvolutionProblem changed(const Change& change) {
  ConvolutionProblem problem = kConvolution;
  change(problem);
  return problem;
}

void check_refused(const ConvolutionProblem& problem, const char* words) {
  CHECK_THROWS_WITH_AS(check_convolution_problem(problem), doctest::Contains(words), ShapeError);
}

TEST_CASE("Rejects convolutions that contradict themselves") {
  CHECK_NOTHROW(check_convolution_problem(kConvolution));
  check_refused(changed([](auto& p) { p.out_height = 10; }), "output size");
  check_refused(changed([](auto& p) { p.stride[1] = 0; }), "output size");
  check_refused(changed([](auto& p) { p.channels = 0; }), "below one");
  check_refused(changed([](auto& p) { p.dtype = DType::kF64; }), "f32 or bf16");
  check_refused(changed([](auto& p) { p.tf32 = true; }), "TF32");
  check_refused(changed([](auto& p) { p.pass = ConvolutionPass::kDataGradient; }), "no epilogue");
}

TEST_CASE("Rejects products that contradict themselves") {
  CHECK_NOTHROW(check_gemm_problem(kProduct));
  GemmProblem problem = kProduct;
  problem.dtype = DType::kBF16;
  CHECK_THROWS_WITH_AS(check_gemm_problem(problem), doctest::Contains("TF32"), ShapeError);
  problem = kProduct;
  problem.in = 0;
  CHECK_THROWS_WITH_AS(check_gemm_problem(problem), doctest::Contains("below one"), ShapeError);
  problem = kProduct;
  problem.weight_transposed = true;
  CHECK_THROWS_WITH_AS(check_gemm_problem(problem), doctest::Contains("no bias"), ShapeError);
  problem.residual = false;
  CHECK_NOTHROW(check_gemm_problem(problem));
}

TEST_CASE("Descriptions name sizes, epilogue and precision") {
  CHECK(describe(kConvolution) ==
        "forward 1x21x24x32 * 16x3x3x32 stride 2x2 padding 1x1 + bias + relu, bf16");
  CHECK(describe(kProduct) == "product 5x7 * 3x7 + residual, tf32");
  CHECK(describe(GemmProblem{.rows = 5, .in = 7, .out = 3, .weight_transposed = true}) ==
        "product 5x7 * 3x7, weight transposed, f32");
}

}  // namespace
}  // namespace mrcnn::cuda
