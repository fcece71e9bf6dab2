// `bench --plans`: writes the convolution plans of models into the plan cache, for a GPU that need
// not be in this machine, so that the first run there compiles nothing.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "layers/execution.h"
#include "tools/bench/model_convolutions.h"

namespace mrcnn {

struct PlanRequest {
  std::string device_file;          // JSON of cuda::device_description()
  std::string directory;            // of the cache; "": where the programs look
  std::vector<std::string> models;  // names of models/zoo.h
  std::vector<Precision> precisions;
  // One plan per convolution and input; the usual two are 800x1344 and 1344x800.
  std::vector<ConvolutionInput> inputs;
  bool gradients = false;  // for training, too
};

// The problems of a request, each once.
std::vector<cuda::ConvolutionProblem> problems_of(const PlanRequest& request);

// Prints a line per plan that is new and a summary. Throws FileError or UsageError for a bad
// description, DeviceError if this build has no cuDNN, CudaError if a convolution has no engine
// (after all the others are written).
void write_plans(const PlanRequest& request, std::ostream& out);

}  // namespace mrcnn
