// Which of cuDNN's engines may run a graph, in the order of the library's advice.
#pragma once

#include <vector>

#include "kernels/conv/convolution_plan.h"
#include "kernels/conv/cudnn/descriptor.h"
#include "kernels/conv/cudnn/operation_graph.h"
#include "kernels/conv/cudnn/target_device.h"

namespace mrcnn::cudnn {

struct Engine {
  Descriptor configuration;
  int64_t index = 0;          // of the engine among those of this graph
  bool tensor_cores = false;  // products in the tensors' type or TF32
  bool compiles = false;      // its kernel is compiled when the plan is made
};

struct EngineSearch {
  std::vector<Engine> engines;  // those that may be used, best first
  int64_t num_refused = 0;      // supported, but not deterministic or less exact than asked for
};

// Asks the library's heuristics, then its list of fallbacks. Refused are engines that are not
// deterministic, that reduce or convert below f32 what the problem wants in f32, and transforms
// (Winograd, FFT), whose rounding errors are larger.
EngineSearch find_engines(const OperationGraph& graph, const cuda::ConvolutionProblem& problem,
                          const TargetDevice& device);

}  // namespace mrcnn::cudnn
