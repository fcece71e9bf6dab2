// conv2d: 2-D convolution (correlation) with zero padding and a fused epilogue.
//   input     [N, H, W, C]      f32 or f64; on a GPU f32 or bf16
//   weight    [O, KH, KW, C]
//   bias      [O] or undefined; f32 where input is bf16
//   residual  [N, OH, OW, O] or undefined
//   returns   [N, OH, OW, O],  OH = (H + 2 * padding - KH) / stride + 1, rounded down
// output = relu?(conv(input, weight) + bias + residual), height before width in every pair.
// A frozen batch norm in front of the ReLU is an affine map: fold its scale into the weight and its
// shift into the bias.
// Gradient: input, weight, bias, residual (conv2d_backward.h); with a ReLU that of the sum in front
// of it, from the saved output. A prepared convolution refuses inputs that need a gradient.
// Accumulates in the tensors' type, bf16 in f32.
// Deterministic: yes, for a given CPU or GPU type and batch size, whatever the number of threads.
// Syncs host: no.  Capturable: after a first run with the same sizes outside the capture.
// f64 is a plain loop, the oracle of the tests. f32 runs oneDNN's direct convolution or, where that
// is faster, our Winograd convolution (winograd.h). A GPU runs cuDNN (convolution_plan.h), 1x1
// convolutions without stride cuBLASLt.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/tensor.h"

namespace mrcnn {

struct Conv2dParams {
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> padding{0, 0};
  bool relu = false;
  bool tf32 = false;  // on a GPU: products of f32 with 10 bits of mantissa; ignored elsewhere
};

enum class Conv2dAlgorithm {
  kAuto,      // Winograd where use_winograd() in winograd.h says so, unless strict
  kDirect,    // sums of products in the order of the definition, up to blocking
  kWinograd,  // 3x3, stride 1, padding 1, multiples of 16 channels only; about twice the
              // rounding error of kDirect, which is what runs on a CPU without AVX2
};

// While true, every kAuto convolution of the process runs the direct algorithm: for comparing
// numbers, at a cost in time.
void set_strict_convolution(bool strict);
bool strict_convolution();

// The output's shape; checks both shapes and the parameters. Throws ShapeError.
Shape conv2d_output_shape(const Shape& input, const Shape& weight, const Conv2dParams& params);

Tensor conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& residual,
              const Conv2dParams& params);

// A convolution whose weights are packed once: f32 on the CPU, f32 or bf16 on a GPU, where the
// weights stay as they are and `algorithm` is the library's choice. run() may be called from
// several threads. Compiled operations are kept for the last few input sizes; a batch is run in
// powers of two, so that a batch size that changes from call to call (the number of detections)
// compiles little.
class PreparedConv2d {
 public:
  PreparedConv2d(const Tensor& weight, const Tensor& bias, const Conv2dParams& params,
                 Conv2dAlgorithm algorithm = Conv2dAlgorithm::kAuto);
  ~PreparedConv2d();
  PreparedConv2d(PreparedConv2d&&) noexcept;
  PreparedConv2d& operator=(PreparedConv2d&&) noexcept;

  Tensor run(const Tensor& input, const Tensor& residual = {}) const;
  // The same, but a residual that nobody else holds (it was moved in) may give its memory to the
  // result, which spares a pass over it. The sum may then be rounded in another order.
  Tensor run_reusing(const Tensor& input, Tensor residual) const;

  const Shape& weight_shape() const;  // [O, KH, KW, C]
  const Conv2dParams& params() const;
  int64_t flops(const Shape& input) const;  // of the definition: 2 per multiply and add
  bool runs_winograd(const Shape& input) const;

  class Impl;  // how it runs on its device

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace mrcnn
