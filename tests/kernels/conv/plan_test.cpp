// Plans of convolutions are made for GPUs that are described only, with a stand-in for the driver:
// every convolution of the models has an engine. All of them are in plan_table.cpp; here is a
// sample and what surrounds the plans.
#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/cuda/vendor_library.h"
#include "core/error.h"
#include "kernels/conv/cudnn/engines.h"
#include "kernels/conv/cudnn/library.h"
#include "kernels/conv/cudnn/plan_cache.h"
#include "kernels/conv/cudnn/plan_steps.h"
#include "kernels/conv/plan_ahead.h"
#include "tests/support/cuda_plans/described_gpu.h"
#include "tests/support/temporary_directory.h"
#include "tools/bench/plans.h"

namespace mrcnn {
namespace {

using cuda::ConvolutionPass;
using cuda::ConvolutionProblem;
using test::described_gpu;

// Says why and returns false where there is no cuDNN to ask.
bool has_cudnn() {
  try {
    cudnn::library();
    return true;
  } catch (const DeviceError& error) {
    std::printf("[SKIP] %s\n", error.what());
    return false;
  }
}

// A small one: its plans take milliseconds where nothing is compiled.
ConvolutionProblem small_problem(Precision precision) {
  return with_precision({.batch = 1,
                         .height = 20,
                         .width = 24,
                         .channels = 32,
                         .out_channels = 16,
                         .out_height = 20,
                         .out_width = 24,
                         .kernel = {3, 3},
                         .padding = {1, 1},
                         .bias = true,
                         .relu = true},
                        precision);
}

PlanRequest everything() {
  return {.device_file = {},
          .directory = {},
          .models = {"maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2", "maskrcnn_resnet50_c5"},
          .precisions = {Precision::kFp32, Precision::kTf32, Precision::kBf16},
          .inputs = {{.height = 800, .width = 1344}, {.height = 1344, .width = 800}},
          .gradients = true};
}

}  // namespace

TEST_CASE("Rejects a missing library by name, places and remedy") {
  CHECK_THROWS_WITH_AS(cuda::VendorLibrary({.title = "cuNothing 9",
                                            .file_names = {"libcunothing.so.9"},
                                            .directory_variable = "MRCNN_CUNOTHING_DIR",
                                            .build_directory = "/nowhere",
                                            .remedy = "install cuNothing 9"}),
                       doctest::Contains("install cuNothing 9, or set MRCNN_CUNOTHING_DIR"),
                       DeviceError);
}

TEST_CASE("Rejects what describes no device") {
  if (!has_cudnn()) return;
  CHECK_THROWS_AS(cudnn::TargetDevice::described("{}"), UsageError);
  CHECK_THROWS_AS(cudnn::TargetDevice::described(""), UsageError);
}

TEST_CASE("A convolution without any engine is an error that names it") {
  if (!has_cudnn()) return;
  const cudnn::TargetDevice gpu = described_gpu("h100");
  ConvolutionProblem problem = small_problem(Precision::kBf16);
  problem.batch = int64_t{1} << 40;  // more than any index holds
  CHECK_THROWS_WITH_AS(cudnn::make_plan_steps(problem, gpu), doctest::Contains("NVIDIA H100"),
                       CudaError);
}

TEST_CASE("fp32 is computed without tensor cores, the others with them") {
  if (!has_cudnn()) return;
  for (const char* name : {"a100", "h100"}) {
    const cudnn::TargetDevice gpu = described_gpu(name);
    for (const Precision precision : {Precision::kFp32, Precision::kTf32, Precision::kBf16}) {
      const ConvolutionProblem problem = small_problem(precision);
      const cudnn::OperationGraph graph(problem, cudnn::GraphPart::kWhole);
      const auto engines = cudnn::find_engines(graph, problem, gpu).engines;
      CAPTURE(cuda::describe(problem));
      REQUIRE_FALSE(engines.empty());
      CHECK(engines.front().tensor_cores == (precision != Precision::kFp32));
      for (const cudnn::Engine& engine : engines) {
        CHECK_FALSE((precision == Precision::kFp32 && engine.tensor_cores));
      }
    }
  }
}

TEST_CASE("The unfused sequence has plans, too") {
  if (!has_cudnn()) return;
  for (const char* name : {"a100", "h100"}) {
    const cudnn::TargetDevice gpu = described_gpu(name);
    ConvolutionProblem problem = small_problem(Precision::kBf16);
    problem.residual = true;
    for (const auto part : {cudnn::GraphPart::kConvolution, cudnn::GraphPart::kEpilogue}) {
      const cudnn::OperationGraph graph(problem, part);
      CHECK_FALSE(cudnn::find_engines(graph, problem, gpu).engines.empty());
    }
  }
}

TEST_CASE("A sample of the models' convolutions has plans on every GPU") {
  if (!has_cudnn()) return;
  const std::vector<ConvolutionProblem> problems = problems_of(everything());
  REQUIRE(problems.size() > 500);
  constexpr size_t kStep = 29;  // prime, so that every pass and precision is met
  for (const char* name : {"a100", "h100"}) {
    const cudnn::TargetDevice gpu = described_gpu(name);
    for (size_t i = 0; i < problems.size(); i += kStep) {
      CAPTURE(cuda::describe(problems[i]));
      CHECK(cudnn::make_plan_steps(problems[i], gpu).size() == 1);
    }
  }
}

TEST_CASE("A plan is kept on disk, and a damaged one counts as absent") {
  if (!has_cudnn()) return;
  const test::TemporaryDirectory directory;
  const cudnn::TargetDevice gpu = described_gpu("h100");
  const cudnn::PlanCache cache(directory.path(), gpu);
  const ConvolutionProblem problem = small_problem(Precision::kBf16);
  CHECK_FALSE(cache.load(problem).has_value());
  REQUIRE(cache.store(problem, {cudnn::make_plan_steps(problem, gpu), true}));

  const auto loaded = cache.load(problem);
  REQUIRE(loaded.has_value());
  CHECK(loaded->timed);
  CHECK(loaded->steps.size() == 1);
  CHECK(loaded->steps[0].tensor_ids ==
        std::vector<int64_t>{cudnn::kInput, cudnn::kWeight, cudnn::kBias, cudnn::kOutput});

  const std::string path = cache.path_of(problem);
  const std::string intact = test::read_text(path);
  const auto loads_with = [&](const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    return cache.load(problem).has_value();
  };
  CHECK_FALSE(loads_with(intact.substr(0, intact.size() / 2)));
  CHECK_FALSE(loads_with(intact + "x"));
  CHECK_FALSE(loads_with(""));
  std::string flipped = intact;
  flipped[flipped.size() / 2] ^= 1;
  CHECK_FALSE(loads_with(flipped));
  CHECK(loads_with(intact));

  ConvolutionProblem other = problem;
  other.relu = false;
  std::ofstream(cache.path_of(other), std::ios::binary) << intact;
  CHECK_FALSE(cache.load(other).has_value());
}

TEST_CASE("Without a place nothing is kept and nothing fails") {
  if (!has_cudnn()) return;
  const cudnn::TargetDevice gpu = described_gpu("h100");
  const ConvolutionProblem problem = small_problem(Precision::kFp32);
  const test::TemporaryDirectory directory;
  for (const std::string& place : {std::string{}, directory.write("file")}) {
    const cudnn::PlanCache cache(place, gpu);
    CHECK_FALSE(cache.load(problem).has_value());
    CHECK_FALSE(cache.store(problem, {cudnn::make_plan_steps(problem, gpu), false}));
  }
}

TEST_CASE("Plans that were written ahead are found again") {
  if (!has_cudnn()) return;
  const test::TemporaryDirectory directory;
  const std::vector<ConvolutionProblem> problems{
      small_problem(Precision::kBf16),
      as_pass(small_problem(Precision::kTf32), ConvolutionPass::kWeightGradient)};
  const std::string description = test::gpu_description("a100");
  for (int round = 0; round < 2; ++round) {
    const cuda::MadePlans made = cuda::make_plans(description, problems, directory.path());
    CHECK(made.device == "NVIDIA A100-SXM4-80GB, sm_80, 108 multiprocessors");
    REQUIRE(made.plans.size() == 2);
    for (const cuda::MadePlan& plan : made.plans) {
      CHECK(plan.failure.empty());
      CHECK(std::filesystem::is_regular_file(plan.path));
    }
  }
}

TEST_CASE("write_plans names a missing description and sums up") {
  if (!has_cudnn()) return;
  const test::TemporaryDirectory directory;
  PlanRequest request{.device_file = directory / "absent.json",
                      .directory = directory.path(),
                      .models = {},
                      .precisions = {},
                      .inputs = {}};
  std::ostringstream out;
  CHECK_THROWS_WITH_AS(write_plans(request, out), doctest::Contains("absent.json"), FileError);
  request.device_file = directory.write("device.json", test::gpu_description("h100"));
  write_plans(request, out);
  CHECK(out.str().find("NVIDIA H100 80GB HBM3, sm_90, 132 multiprocessors") != std::string::npos);
}

}  // namespace mrcnn
