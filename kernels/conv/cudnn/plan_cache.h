// Plans on disk, so that only the first run on a kind of GPU waits for compilers:
//   <cache>/plans/<GPU>-sm_90-132-cudnn-9.19.0/<problem>.plan
// <cache> is default_cache_directory() of core/io/cache_directory.h. A file per problem, because a
// plan is up to some hundred kilobytes and programs add them at the same time.
// Content: lines with the format, the problem, "timed" or "advised" (how the plan was chosen) and
// the SHA-256 of the rest; then per step a line with its part and its length, and cuDNN's text.
// A cache is an aid: what cannot be read, is damaged or is refused counts as absent, and what
// cannot be written is left out.
#pragma once

#include <optional>
#include <string>

#include "kernels/conv/cudnn/plan_steps.h"

namespace mrcnn::cudnn {

struct CachedPlan {
  PlanSteps steps;
  bool timed = false;  // chosen by timing
};

class PlanCache {
 public:
  // `directory` is <cache>; with "" nothing is kept. The device outlives the cache.
  PlanCache(const std::string& directory, const TargetDevice& device);

  std::optional<CachedPlan> load(const cuda::ConvolutionProblem& problem) const;
  // Whether it was written.
  bool store(const cuda::ConvolutionProblem& problem, const CachedPlan& plan) const;
  const std::string& directory() const { return directory_; }  // of the files
  // "" if nothing is kept.
  std::string path_of(const cuda::ConvolutionProblem& problem) const;

 private:
  std::string directory_;
  const TargetDevice& device_;
};

}  // namespace mrcnn::cudnn
