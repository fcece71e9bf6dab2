// The kernels that serve one convolution problem on one kind of device.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/conv/convolution_plan.h"
#include "kernels/conv/cudnn/engines.h"
#include "kernels/conv/cudnn/operation_graph.h"
#include "kernels/conv/cudnn/target_device.h"

namespace mrcnn::cudnn {

// An engine's program for one graph.
struct PlanStep {
  GraphPart part;
  std::vector<int64_t> tensor_ids;
  Descriptor plan;
  int64_t workspace_bytes = 0;
};

// One step where an engine fuses the epilogue; a convolution and its epilogue otherwise, which
// rounds the convolution's result to the tensors' type in between.
using PlanSteps = std::vector<PlanStep>;

// Milliseconds that a step takes, or infinity if it does not run. Lets the plan be chosen by time.
using StepTimer = std::function<double(const PlanStep&)>;

// Throws CudaError if no engine supports even the plain convolution. Without a timer the first
// engine whose plan can be made is taken.
PlanSteps make_plan_steps(const cuda::ConvolutionProblem& problem, const TargetDevice& device,
                          const StepTimer& timer = {});

// Text that restore_plan_step() makes the same step from, without compiling anything.
std::string serialize(const PlanStep& step);
// Throws CudaError if the library refuses the text.
PlanStep restore_plan_step(const cuda::ConvolutionProblem& problem, GraphPart part,
                           const std::string& text, const TargetDevice& device);

int64_t workspace_bytes(const PlanSteps& steps);

}  // namespace mrcnn::cudnn
