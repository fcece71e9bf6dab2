// A convolution with its epilogue as a graph of operations, which cuDNN turns into one kernel.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "kernels/conv/convolution_plan.h"
#include "kernels/conv/cudnn/descriptor.h"

namespace mrcnn::cudnn {

// Names of the tensors that addresses are given for at run time.
enum TensorId : int64_t { kInput = 1, kWeight, kBias, kResidual, kOutput };

enum class GraphPart {
  kWhole,        // convolution and epilogue
  kConvolution,  // without the epilogue: input, weight -> output
  kEpilogue,     // the epilogue alone: input (the convolution's output), ... -> output
};

class OperationGraph {
 public:
  // Throws CudaError if the problem's sizes do not belong together.
  OperationGraph(const cuda::ConvolutionProblem& problem, GraphPart part);

  const Descriptor& descriptor() const { return graph_; }
  std::span<const int64_t> tensor_ids() const { return ids_; }

 private:
  using Dims = std::array<int64_t, 4>;  // N, C, H, W, whatever the order in memory

  Descriptor& tensor(int64_t id, const Dims& dims, cudnnDataType_t dtype);
  Descriptor& intermediate(const Dims& dims);
  void add_convolution(Descriptor& output);
  void add_pointwise(cudnnPointwiseMode_t mode, const Descriptor& a, const Descriptor* b,
                     const Descriptor& output);
  void add_epilogue(Descriptor* value);

  cuda::ConvolutionProblem problem_;
  std::deque<Descriptor> parts_;  // whatever the graph refers to; addresses stay
  std::vector<cudnnBackendDescriptor_t> operations_;
  std::vector<int64_t> ids_;
  int64_t next_intermediate_ = 100;
  Descriptor graph_;
};

}  // namespace mrcnn::cudnn
