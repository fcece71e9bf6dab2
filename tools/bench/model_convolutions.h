// The convolutions and products a model runs on a GPU, from the shapes alone: what plans are made
// for ahead of time, and what must have an engine on every kind of GPU.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/conv/convolution_plan.h"
#include "layers/execution.h"
#include "models/mask_rcnn/config.h"

namespace mrcnn {

struct ConvolutionInput {
  int64_t num_images = 1;
  int64_t height = 800;  // of the padded network input, multiples of 32
  int64_t width = 1344;
  int64_t num_proposals = 1000;
  int64_t num_detections = 100;
};

// Forward in f32, in the order of the network, each once. A product is the 1x1 convolution of an
// image one pixel wide, which is how kernels/linalg/gemm_plan.h runs it as a convolution.
std::vector<cuda::ConvolutionProblem> model_convolutions(const MaskRcnnConfig& config,
                                                         const ConvolutionInput& input);

// The same convolution in a precision, where an image has zeros for channels up to 16 bytes a
// pixel; or, without its epilogue, as a gradient.
cuda::ConvolutionProblem with_precision(cuda::ConvolutionProblem problem, Precision precision);
cuda::ConvolutionProblem as_pass(cuda::ConvolutionProblem problem, cuda::ConvolutionPass pass);

}  // namespace mrcnn
