// The adapter to oneDNN: the only place that knows which major version of its API is installed.
// Version 2 describes an operation in an `op::desc` first, version 3 takes everything in the
// primitive descriptor. Activations are plain channels-last memory, weights are whatever layout the
// library likes best; scratchpads come from our allocator.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <unordered_map>

#include <oneapi/dnnl/dnnl.hpp>

#include "core/error.h"
#include "core/tensor.h"

namespace mrcnn::onednn {

const dnnl::engine& cpu_engine();
dnnl::stream& cpu_stream();  // one per calling thread

struct ConvGeometry {
  int64_t batch = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  int64_t out_channels = 0;
  int64_t out_height = 0;
  int64_t out_width = 0;
  std::array<int64_t, 2> kernel{1, 1};
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> padding{0, 0};

  friend auto operator<=>(const ConvGeometry&, const ConvGeometry&) = default;
};

enum class Residual {
  kNone,
  kTensor,   // another tensor of the output's shape is added
  kInPlace,  // what the output held before is added: faster, the library's best kernels know it
};

// What is fused behind the product, in this order.
struct Epilogue {
  bool bias = false;
  Residual residual = Residual::kNone;
  bool relu = false;

  friend auto operator<=>(const Epilogue&, const Epilogue&) = default;
};

// A compiled operation and the layouts it wants.
struct Operation {
  dnnl::primitive primitive;
  dnnl::memory::desc input;
  dnnl::memory::desc weight;  // may be blocked
  dnnl::memory::desc bias;
  dnnl::memory::desc output;
  int64_t scratchpad_bytes = 0;
};

// f32 convolution: input [N, H, W, C], output and residual [N, OH, OW, O].
Operation make_convolution(const ConvGeometry& geometry, const Epilogue& epilogue);

// Its data gradient: the operation's output is grad_output [N, OH, OW, O], its input grad_input
// [N, H, W, C].
Operation make_data_gradient(const ConvGeometry& geometry);

// The plain layout of weights: [O, KH, KW, C].
dnnl::memory::desc plain_conv_weight(const ConvGeometry& geometry);

// A copy of `weight`, whose layout is `from`, in layout `to`. Shares storage when they are equal.
Tensor pack(const Tensor& weight, const dnnl::memory::desc& from, const dnnl::memory::desc& to);

// Runs an operation. bias is undefined unless the operation was made with one, residual unless it
// was made with Residual::kTensor.
void execute(const Operation& operation, const Tensor& input, const Tensor& packed_weight,
             const Tensor& bias, const Tensor& residual, const Tensor& output);

// Runs an operation of make_data_gradient().
void execute_data_gradient(const Operation& operation, const Tensor& grad_output,
                           const Tensor& packed_weight, const Tensor& grad_input);

// output [rows, columns] = a * b by sgemm. Strides: elements from one stored row to the next.
struct Product {
  int64_t rows = 0, depth = 0, columns = 0;
  bool a_transposed = false;  // a is stored [depth, rows]
  bool b_transposed = false;  // b is stored [columns, depth]
  const float* a = nullptr;
  int64_t a_stride = 0;
  const float* b = nullptr;
  int64_t b_stride = 0;
  float* output = nullptr;
  int64_t output_stride = 0;
};

// With more threads the library may split a sum, and its bits would depend on their number.
void multiply_on_one_thread(const Product& product);

// Calls f() and turns an error of the library into ours, naming the operation.
template <typename F>
auto translate_errors(const char* op, F&& f) {
  try {
    return f();
  } catch (const dnnl::error& error) {
    const std::string message = std::string("[") + op + "] oneDNN: " + error.what();
    if (error.status == dnnl_out_of_memory) throw MemoryError(message);
    throw Error(ExitCode::kInternal, message);
  }
}

}  // namespace mrcnn::onednn
