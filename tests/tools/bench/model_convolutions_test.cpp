#include <doctest/doctest.h>

#include "models/zoo.h"
#include "tools/bench/plans.h"

namespace mrcnn {
namespace {

using cuda::ConvolutionPass;
using cuda::ConvolutionProblem;

TEST_CASE("A model's convolutions: sizes and epilogues, in the order of the network") {
  const auto problems = model_convolutions(model_config("maskrcnn_resnet50_fpn"), {});
  const ConvolutionProblem& stem = problems.front();
  CHECK(cuda::describe(stem) ==
        "forward 1x800x1344x3 * 64x7x7x3 stride 2x2 padding 3x3 + bias + relu, f32");
  CHECK(stem.out_height == 400);
  CHECK(cuda::describe(problems.back()) ==
        "forward 1x19600x1x256 * 1024x1x1x256 stride 1x1 padding 0x0 + bias + relu, f32");
  for (const ConvolutionProblem& problem : problems) {
    CHECK_NOTHROW(cuda::check_convolution_problem(problem));
  }
}

TEST_CASE("A gradient has no epilogue, a precision its type") {
  const ConvolutionProblem forward =
      model_convolutions(model_config("maskrcnn_resnet50_c5"), {}).front();
  const ConvolutionProblem gradient =
      as_pass(with_precision(forward, Precision::kBf16), ConvolutionPass::kWeightGradient);
  CHECK(cuda::describe(gradient) ==
        "weight gradient 1x800x1344x8 * 64x7x7x8 stride 2x2 padding 3x3, bf16");
  CHECK_NOTHROW(cuda::check_convolution_problem(gradient));
  CHECK(with_precision(forward, Precision::kTf32).tf32);
  CHECK(with_precision(forward, Precision::kTf32).channels == 4);
}

TEST_CASE("A request lists each problem once") {
  const PlanRequest request{.device_file = {},
                            .directory = {},
                            .models = {"maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn"},
                            .precisions = {Precision::kFp32, Precision::kBf16},
                            .inputs = {{.height = 800, .width = 1344}},
                            .gradients = true};
  const auto forward = model_convolutions(model_config("maskrcnn_resnet50_fpn"), {});
  const std::vector<ConvolutionProblem> problems = problems_of(request);
  // Convolutions that differ in their epilogue only share their gradients.
  CHECK(problems.size() > forward.size() * 2 * 2);
  CHECK(problems.size() <= forward.size() * 2 * 3);
}

}  // namespace
}  // namespace mrcnn
