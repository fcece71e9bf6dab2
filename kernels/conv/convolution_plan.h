// Convolutions by the vendor's library, with a fused epilogue: what conv2d runs on a GPU.
//   input     [N, H, W, C]      weight  [O, KH, KW, C]
//   bias      [O] f32           residual, output  [N, OH, OW, O]
// kForward        output = relu?(conv(input, weight) + bias + residual)
// kDataGradient   input is grad_output [N, OH, OW, O], output is grad_input [N, H, W, C]
// kWeightGradient weight is grad_output [N, OH, OW, O], output is grad_weight [O, KH, KW, C]
// Deterministic: yes, engines that are not are left out.  Accumulates in f32.
// Syncs host: no, but the first run of a problem on a device makes its plan, which takes up to a
// few seconds and waits for the device.  Capturable: after a first run outside the capture.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/stream.h"

namespace mrcnn::cuda {

enum class ConvolutionPass { kForward, kDataGradient, kWeightGradient };

// One convolution up to the values in its tensors. Sizes are those of the forward convolution in
// every pass; a gradient takes no bias, residual or ReLU.
struct ConvolutionProblem {
  ConvolutionPass pass = ConvolutionPass::kForward;
  int64_t batch = 0, height = 0, width = 0, channels = 0;
  int64_t out_channels = 0, out_height = 0, out_width = 0;
  std::array<int64_t, 2> kernel{1, 1}, stride{1, 1}, padding{0, 0};
  DType dtype = DType::kF32;  // kF32 or kBF16: of every tensor but the bias
  bool tf32 = false;          // kF32 only: multiply in TF32
  bool bias = false;
  bool residual = false;
  bool relu = false;

  friend auto operator<=>(const ConvolutionProblem&, const ConvolutionProblem&) = default;
};

// "forward 1x800x1344x3 * 64x7x7x3 stride 2x2 padding 3x3 + bias + relu, bf16"
std::string describe(const ConvolutionProblem& problem);

// Throws Error with the problem's description if it contradicts itself.
void check_convolution_problem(const ConvolutionProblem& problem);

// Runs on the current device. Tensors start at multiples of 16 bytes and do not overlap the output;
// bias and residual are nullptr where the problem has none. Throws Error if the problem or an
// address cannot be, CudaError if no engine of the library supports it or it fails.
void run_convolution(const ConvolutionProblem& problem, const void* input, const void* weight,
                     const float* bias, const void* residual, void* output, Stream stream);

// Whether new plans are chosen by timing the first few engines instead of by the library's advice.
// The default is whether the environment has MRCNN_AUTOTUNE=1.
void set_convolution_autotune(bool autotune);

// One line per problem that runs as a convolution and a second kernel for its epilogue, because no
// engine fuses them. For programs to print.
std::vector<std::string> convolution_fallbacks();

}  // namespace mrcnn::cuda
