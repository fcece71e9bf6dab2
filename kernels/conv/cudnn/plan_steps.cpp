#include "kernels/conv/cudnn/plan_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "core/error.h"
#include "kernels/conv/cudnn/library.h"

namespace mrcnn::cudnn {
namespace {

using cuda::ConvolutionProblem;

// Engines that copy operands ask for gigabytes at the largest sizes; these are not worth it.
constexpr int64_t kMaxWorkspaceBytes = int64_t{256} << 20;
// Timed at most; beyond the first few, the library's order hides no faster engine.
constexpr int kMaxTimed = 8;

std::vector<int64_t> ids_of(const OperationGraph& graph) {
  return {graph.tensor_ids().begin(), graph.tensor_ids().end()};
}

PlanStep finished_step(GraphPart part, const OperationGraph& graph, Descriptor plan) {
  const int64_t bytes = plan.get_int64(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  return {
      .part = part, .tensor_ids = ids_of(graph), .plan = std::move(plan), .workspace_bytes = bytes};
}

// The step of an engine, unless it refuses after all or wants too much memory.
std::optional<PlanStep> try_engine(GraphPart part, const OperationGraph& graph,
                                   const Engine& engine, const TargetDevice& device,
                                   std::string& reasons) {
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engine.configuration);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device.properties());
  const std::string refusal = plan.try_finalize();
  if (!refusal.empty()) {
    reasons += fmt::format("\n  engine {}: {}", engine.index, refusal);
    return std::nullopt;
  }
  PlanStep step = finished_step(part, graph, std::move(plan));
  if (step.workspace_bytes > kMaxWorkspaceBytes) {
    reasons += fmt::format("\n  engine {}: wants {} MiB", engine.index, step.workspace_bytes >> 20);
    return std::nullopt;
  }
  return step;
}

// The best step for a part of the problem, or nothing and the reasons.
std::optional<PlanStep> make_step(const ConvolutionProblem& problem, GraphPart part,
                                  const TargetDevice& device, const StepTimer& timer,
                                  std::string& reasons) {
  const OperationGraph graph(problem, part);
  const EngineSearch search = find_engines(graph, problem, device);
  if (search.engines.empty()) {
    reasons += fmt::format("\n  no engine ({} refused as inexact)", search.num_refused);
  }
  std::optional<PlanStep> best;
  double best_time = std::numeric_limits<double>::infinity();
  int timed = 0;
  for (const Engine& engine : search.engines) {
    std::optional<PlanStep> step = try_engine(part, graph, engine, device, reasons);
    if (!step) continue;
    if (!timer) return step;
    const double time = timer(*step);
    if (time < best_time) {
      best_time = time;
      best = std::move(step);
    }
    if (++timed == kMaxTimed) break;
  }
  return best;
}

}  // namespace

PlanSteps make_plan_steps(const ConvolutionProblem& problem, const TargetDevice& device,
                          const StepTimer& timer) {
  PlanSteps steps;
  std::string reasons;
  const auto add = [&](GraphPart part) {
    std::optional<PlanStep> step = make_step(problem, part, device, timer, reasons);
    if (step) steps.push_back(std::move(*step));
    return step.has_value();
  };
  if (add(GraphPart::kWhole)) return steps;
  const bool has_epilogue = problem.bias || problem.residual || problem.relu;
  if (has_epilogue && add(GraphPart::kConvolution) && add(GraphPart::kEpilogue)) return steps;
  throw CudaError(fmt::format("[cudnn] no engine of cuDNN {} supports {} on {}:{}",
                              library().version, cuda::describe(problem), device.description(),
                              reasons));
}

std::string serialize(const PlanStep& step) {
  return step.plan.get_text(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);
}

PlanStep restore_plan_step(const ConvolutionProblem& problem, GraphPart part,
                           const std::string& text, const TargetDevice& device) {
  const OperationGraph graph(problem, part);
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device.properties());
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, text);
  plan.finalize();
  return finished_step(part, graph, std::move(plan));
}

int64_t workspace_bytes(const PlanSteps& steps) {
  int64_t bytes = 0;
  for (const PlanStep& step : steps) bytes = std::max(bytes, step.workspace_bytes);
  return bytes;
}

}  // namespace mrcnn::cudnn
