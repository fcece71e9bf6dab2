#include "kernels/conv/plan_ahead.h"

#include <chrono>
#include <optional>

#include "core/error.h"
#include "core/io/cache_directory.h"
#include "kernels/conv/cudnn/library.h"
#include "kernels/conv/cudnn/plan_cache.h"
#include "kernels/conv/cudnn/plan_steps.h"

namespace mrcnn::cuda {
namespace {

MadePlan make_one(const ConvolutionProblem& problem, const cudnn::TargetDevice& device,
                  const cudnn::PlanCache& cache) {
  const auto start = std::chrono::steady_clock::now();
  MadePlan made;
  made.problem = problem;
  made.path = cache.path_of(problem);
  try {
    check_convolution_problem(problem);
    std::optional<cudnn::CachedPlan> plan = cache.load(problem);
    if (!plan) {
      plan = cudnn::CachedPlan{cudnn::make_plan_steps(problem, device), false};
      if (!cache.store(problem, *plan)) made.path.clear();
    }
    made.fused = plan->steps.size() == 1;
  } catch (const CudaError& error) {
    made.path.clear();
    made.failure = error.what();
  }
  made.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return made;
}

}  // namespace

std::string device_description(int index) { return cudnn::TargetDevice::present(index).json(); }

MadePlans make_plans(const std::string& description, std::span<const ConvolutionProblem> problems,
                     const std::string& directory,
                     const std::function<void(const MadePlan&)>& done) {
  const cudnn::TargetDevice device = cudnn::TargetDevice::described(description);
  const cudnn::PlanCache cache(directory.empty() ? default_cache_directory() : directory, device);
  MadePlans result{.device = device.description(),
                   .library = "cuDNN " + cudnn::library().version,
                   .directory = cache.directory(),
                   .plans = {}};
  for (const ConvolutionProblem& problem : problems) {
    result.plans.push_back(make_one(problem, device, cache));
    if (done) done(result.plans.back());
  }
  return result;
}

}  // namespace mrcnn::cuda
