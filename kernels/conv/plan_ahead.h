// Makes the plans of convolutions before they are needed, for a GPU that need not be in this
// machine, so that the first run there compiles nothing.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kernels/conv/convolution_plan.h"

namespace mrcnn::cuda {

// What the library says about a GPU of this machine: the text that make_plans() takes. Throws
// DeviceError where there is none.
std::string device_description(int index);

struct MadePlan {
  ConvolutionProblem problem;
  std::string path;     // of the file; "" if it could not be written
  std::string failure;  // "" or why there is no plan at all
  bool fused = true;    // false: a convolution and a kernel for its epilogue
  double seconds = 0;
};

struct MadePlans {
  std::string device;     // "NVIDIA H100 80GB HBM3, sm_90, 132 multiprocessors"
  std::string library;    // "cuDNN 9.19.0"
  std::string directory;  // of the files; "" if the environment names no place
  std::vector<MadePlan> plans;
};

// Writes a plan per problem into the cache that run_convolution() reads: below `directory`, or
// where that looks by itself if it is "". A plan that is there already is kept. Calls done() after
// each. Throws UsageError if `description` is none, DeviceError if this build or machine cannot.
MadePlans make_plans(const std::string& description, std::span<const ConvolutionProblem> problems,
                     const std::string& directory,
                     const std::function<void(const MadePlan&)>& done = {});

}  // namespace mrcnn::cuda
