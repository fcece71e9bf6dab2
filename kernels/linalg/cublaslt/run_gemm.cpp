// run_gemm() by cuBLASLt: one handle per GPU, one algorithm per problem.
#include <bit>
#include <map>
#include <memory>
#include <mutex>

#include "core/cuda/context.h"
#include "core/error.h"
#include "kernels/conv/convolution_plan.h"
#include "kernels/linalg/cublaslt/library.h"
#include "kernels/linalg/cublaslt/product.h"
#include "kernels/linalg/gemm_plan.h"

namespace mrcnn::cublaslt {
namespace {

using cuda::GemmProblem;

struct DeviceState {
  cublasLtHandle_t handle = nullptr;
  std::map<GemmProblem, std::unique_ptr<Product>> products;
  std::mutex mutex;  // a product's description holds the bias while it is put into the queue

  DeviceState() { check(library().create(&handle), "cublasLtCreate"); }
};

// Never destroyed: the driver may be gone when static destructors run.
DeviceState& state_of_current_device() {
  static auto* const mutex = std::make_unique<std::mutex>().release();
  static auto* const states =
      std::make_unique<std::map<int, std::unique_ptr<DeviceState>>>().release();
  const int index = cuda::current_device().index;
  const std::lock_guard lock(*mutex);
  std::unique_ptr<DeviceState>& state = (*states)[index];
  if (!state) state = std::make_unique<DeviceState>();
  return *state;
}

Product& product_for(DeviceState& state, const GemmProblem& problem, Stream stream) {
  std::unique_ptr<Product>& product = state.products[problem];
  if (!product) {
    if (cuda::is_capturing(stream)) {
      throw CudaError("[gemm] a graph is being recorded before the product ran once: " +
                      cuda::describe(problem));
    }
    product = std::make_unique<Product>(state.handle, problem);
  }
  return *product;
}

void check_addresses(const GemmProblem& problem, std::initializer_list<const void*> addresses) {
  for (const void* const address : addresses) {
    if (std::bit_cast<uintptr_t>(address) % 16 != 0) {
      throw Error(
          ExitCode::kInternal,
          "[gemm] a matrix does not start at a multiple of 16 bytes: " + cuda::describe(problem));
    }
  }
}

}  // namespace
}  // namespace mrcnn::cublaslt

namespace mrcnn::cuda {
namespace {

// Rows are pixels of an image one pixel wide.
ConvolutionProblem as_convolution(const GemmProblem& p) {
  return {.batch = 1,
          .height = p.rows,
          .width = 1,
          .channels = p.in,
          .out_channels = p.out,
          .out_height = p.rows,
          .out_width = 1,
          .dtype = p.dtype,
          .tf32 = p.tf32,
          .bias = p.bias,
          .residual = p.residual,
          .relu = p.relu};
}

// By cuBLASLt, with a bias of the matrices' type.
void multiply(const GemmProblem& problem, const void* input, const void* weight, const void* bias,
              const void* residual, void* output, Stream stream) {
  if (problem.bias != (bias != nullptr) || problem.residual != (residual != nullptr)) {
    throw Error(ExitCode::kInternal,
                "[gemm] bias or residual is given without being asked for, or not given: " +
                    describe(problem));
  }
  cublaslt::check_addresses(problem, {input, weight, bias, residual, output});
  cublaslt::DeviceState& state = cublaslt::state_of_current_device();
  const std::lock_guard lock(state.mutex);
  cublaslt::Product& product = cublaslt::product_for(state, problem, stream);
  void* const scratch =
      product.workspace_bytes() > 0 ? workspace(product.workspace_bytes(), stream) : nullptr;
  product.run(state.handle, input, weight, bias, residual, output, scratch, stream);
  after_launch("gemm", stream);
}

}  // namespace

void run_gemm(const GemmProblem& problem, const void* input, const void* weight, const float* bias,
              const void* residual, void* output, Stream stream) {
  check_gemm_problem(problem);
  if (problem.rows == 0) return;
  if (problem.bias && problem.dtype != DType::kF32) {
    run_convolution(as_convolution(problem), input, weight, bias, residual, output, stream);
  } else {
    multiply(problem, input, weight, bias, residual, output, stream);
  }
}

void run_gemm(const GemmProblem& problem, const void* input, const void* weight,
              const BFloat16* bias, const void* residual, void* output, Stream stream) {
  check_gemm_problem(problem);
  if (problem.dtype != DType::kBF16) {
    throw DTypeError("[gemm] a bf16 bias belongs to bf16 matrices: " + describe(problem));
  }
  if (problem.rows == 0) return;
  multiply(problem, input, weight, bias, residual, output, stream);
}

}  // namespace mrcnn::cuda
