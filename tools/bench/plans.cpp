#include "tools/bench/plans.h"

#include <fmt/format.h>

#include <ostream>
#include <set>

#include "core/error.h"
#include "core/io/file.h"
#include "kernels/conv/plan_ahead.h"
#include "models/zoo.h"

namespace mrcnn {
namespace {

using cuda::ConvolutionPass;
using cuda::ConvolutionProblem;

std::string read_text(const std::string& path) {
  const FileBytes file = read_file(path, ExitCode::kUsage);
  std::string text;
  for (const std::byte byte : file.bytes) text += static_cast<char>(byte);
  return text;
}

}  // namespace

std::vector<ConvolutionProblem> problems_of(const PlanRequest& request) {
  std::vector<ConvolutionPass> passes{ConvolutionPass::kForward};
  if (request.gradients) {
    passes.push_back(ConvolutionPass::kDataGradient);
    passes.push_back(ConvolutionPass::kWeightGradient);
  }
  std::vector<ConvolutionProblem> problems;
  std::set<ConvolutionProblem> seen;
  for (const std::string& model : request.models) {
    const MaskRcnnConfig config = model_config(model);
    for (const ConvolutionInput& input : request.inputs) {
      for (const ConvolutionProblem& forward : model_convolutions(config, input)) {
        for (const Precision precision : request.precisions) {
          for (const ConvolutionPass pass : passes) {
            const ConvolutionProblem problem = as_pass(with_precision(forward, precision), pass);
            if (seen.insert(problem).second) problems.push_back(problem);
          }
        }
      }
    }
  }
  return problems;
}

void write_plans(const PlanRequest& request, std::ostream& out) {
  const std::vector<ConvolutionProblem> problems = problems_of(request);
  int64_t written = 0, unfused = 0;
  double seconds = 0;
  std::string failures;
  const cuda::MadePlans made = cuda::make_plans(
      read_text(request.device_file), problems, request.directory, [&](const cuda::MadePlan& plan) {
        seconds += plan.seconds;
        if (!plan.failure.empty()) {
          failures += "\n" + plan.failure;
          return;
        }
        if (!plan.path.empty()) ++written;
        if (!plan.fused) ++unfused;
        out << fmt::format("{:6.2f} s  {}{}\n", plan.seconds, cuda::describe(plan.problem),
                           plan.fused ? "" : "  (epilogue in a kernel of its own)");
      });
  out << fmt::format("{} plans by {} for {}: {} kept in {}, {} not fused, {:.0f} s\n",
                     made.plans.size(), made.library, made.device, written,
                     made.directory.empty() ? "no place" : made.directory, unfused, seconds);
  if (!failures.empty()) throw CudaError("[plans] some convolutions have no plan:" + failures);
}

}  // namespace mrcnn
