// run_convolution() by cuDNN: one handle per GPU, one set of plans per problem.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "core/cuda/check.h"
#include "core/cuda/context.h"
#include "core/cuda/handles.h"
#include "core/error.h"
#include "core/io/cache_directory.h"
#include "kernels/conv/convolution_plan.h"
#include "kernels/conv/cudnn/library.h"
#include "kernels/conv/cudnn/plan_cache.h"
#include "kernels/conv/cudnn/plan_steps.h"

namespace mrcnn::cudnn {
namespace {

using cuda::ConvolutionProblem;

constexpr uintptr_t kAlignment = 16;  // what the plans are made for
constexpr int kTimedRuns = 5;         // of which the fastest counts; one more goes before

struct Tensors {
  std::array<void*, 6> addresses{};  // by TensorId
};

// The library takes addresses of inputs as of outputs, without const.
void* address_of(const void* pointer) { return std::bit_cast<void*>(pointer); }

Tensors tensors_of(const ConvolutionProblem& problem, const void* input, const void* weight,
                   const float* bias, const void* residual, void* output) {
  if (problem.bias != (bias != nullptr) || problem.residual != (residual != nullptr)) {
    throw Error(ExitCode::kInternal,
                "[convolution] bias or residual is given without being asked for, or not given: " +
                    cuda::describe(problem));
  }
  Tensors tensors;
  tensors.addresses[kInput] = address_of(input);
  tensors.addresses[kWeight] = address_of(weight);
  tensors.addresses[kBias] = address_of(bias);
  tensors.addresses[kResidual] = address_of(residual);
  tensors.addresses[kOutput] = output;
  for (void* const address : tensors.addresses) {
    if (std::bit_cast<uintptr_t>(address) % kAlignment != 0) {
      throw Error(ExitCode::kInternal,
                  "[convolution] a tensor does not start at a multiple of 16 bytes: " +
                      cuda::describe(problem));
    }
  }
  return tensors;
}

struct ReadyPlan {
  PlanSteps steps;
  bool from_disk = false;  // and not proven by a run
};

struct DeviceState {
  TargetDevice device;
  PlanCache cache;
  cudnnHandle_t handle = nullptr;
  std::map<ConvolutionProblem, ReadyPlan> plans;
  std::mutex mutex;  // the handle serves one thread at a time

  explicit DeviceState(int index)
      : device(TargetDevice::present(index)), cache(default_cache_directory(), device) {
    check(library().create(&handle), "cudnnCreate");
  }
};

// Never destroyed: the driver may be gone when static destructors run.
DeviceState& state_of_current_device() {
  static auto* const mutex = std::make_unique<std::mutex>().release();
  static auto* const states =
      std::make_unique<std::map<int, std::unique_ptr<DeviceState>>>().release();
  const int index = cuda::current_device().index;
  const std::lock_guard lock(*mutex);
  std::unique_ptr<DeviceState>& state = (*states)[index];
  if (!state) state = std::make_unique<DeviceState>(index);
  return *state;
}

std::atomic<bool>& autotune() {
  static std::atomic<bool> on = [] {
    const char* const value = std::getenv("MRCNN_AUTOTUNE");
    return value != nullptr && std::string_view(value) == "1";
  }();
  return on;
}

struct Fallbacks {
  std::mutex mutex;
  std::vector<std::string> lines;
};

Fallbacks& fallbacks() {
  static Fallbacks instance;
  return instance;
}

// Does not throw for an engine that fails, because timing tries some that may.
cudnnStatus_t execute(const PlanStep& step, const Tensors& tensors, cudnnHandle_t handle,
                      Stream stream) {
  std::vector<void*> addresses;
  for (const int64_t id : step.tensor_ids) {
    // The epilogue alone works in place on what the convolution has put out.
    const bool in_place = step.part == GraphPart::kEpilogue && id == kInput;
    addresses.push_back(tensors.addresses[static_cast<size_t>(in_place ? kOutput : id)]);
  }
  const std::array<void*, 1> workspace{
      step.workspace_bytes > 0 ? cuda::workspace(step.workspace_bytes, stream) : nullptr};
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, step.tensor_ids);
  pack.set_addresses(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, addresses);
  pack.set_addresses(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace);
  pack.finalize();
  return library().execute(handle, step.plan.get(), pack.get());
}

// On the problem's own tensors: every run writes the same result. But an epilogue alone would be
// applied again and again, which changes nothing about its time.
double milliseconds(const PlanStep& step, const Tensors& tensors, cudnnHandle_t handle,
                    Stream stream) {
  const cuda::OwnedEvent begin(cudaEventDefault), end(cudaEventDefault);
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run <= kTimedRuns; ++run) {
    MRCNN_CUDA_CHECK(cudaEventRecord(begin.get(), stream));
    if (execute(step, tensors, handle, stream) != CUDNN_STATUS_SUCCESS) {
      return std::numeric_limits<double>::infinity();
    }
    MRCNN_CUDA_CHECK(cudaEventRecord(end.get(), stream));
    MRCNN_CUDA_CHECK(cudaEventSynchronize(end.get()));
    cuda::count_sync();
    float time = 0;
    MRCNN_CUDA_CHECK(cudaEventElapsedTime(&time, begin.get(), end.get()));
    if (run > 0) best = std::min(best, double{time});
  }
  return best;
}

PlanSteps make_plan(DeviceState& state, const ConvolutionProblem& problem, const Tensors& tensors,
                    Stream stream) {
  const bool timing = autotune();
  StepTimer timer;
  if (timing) {
    timer = [&](const PlanStep& step) { return milliseconds(step, tensors, state.handle, stream); };
  }
  CachedPlan made{make_plan_steps(problem, state.device, timer), timing};
  state.cache.store(problem, made);
  return std::move(made.steps);
}

void note_fallback(const DeviceState& state, const ConvolutionProblem& problem) {
  const std::lock_guard lock(fallbacks().mutex);
  fallbacks().lines.push_back("no engine of cuDNN " + library().version +
                              " fuses the epilogue of " + cuda::describe(problem) + " on " +
                              state.device.name() + ": it runs as two kernels");
}

ReadyPlan& plan_for(DeviceState& state, const ConvolutionProblem& problem, const Tensors& tensors,
                    Stream stream) {
  const auto known = state.plans.find(problem);
  if (known != state.plans.end()) return known->second;
  if (cuda::is_capturing(stream)) {
    throw CudaError("[convolution] a graph is being recorded before the convolution ran once: " +
                    cuda::describe(problem));
  }
  std::optional<CachedPlan> cached = state.cache.load(problem);
  ReadyPlan plan;
  plan.from_disk = cached && (cached->timed || !autotune());
  plan.steps =
      plan.from_disk ? std::move(cached->steps) : make_plan(state, problem, tensors, stream);
  if (plan.steps.size() > 1) note_fallback(state, problem);
  return state.plans.emplace(problem, std::move(plan)).first->second;
}

cudnnStatus_t execute_all(const PlanSteps& steps, const Tensors& tensors, cudnnHandle_t handle,
                          Stream stream) {
  for (const PlanStep& step : steps) {
    const cudnnStatus_t status = execute(step, tensors, handle, stream);
    if (status != CUDNN_STATUS_SUCCESS) return status;
    cuda::after_launch("convolution", stream);
  }
  return CUDNN_STATUS_SUCCESS;
}

void run(DeviceState& state, const ConvolutionProblem& problem, const Tensors& tensors,
         Stream stream) {
  check(library().set_stream(state.handle, stream), "cudnnSetStream");
  ReadyPlan& plan = plan_for(state, problem, tensors, stream);
  cudnnStatus_t status = execute_all(plan.steps, tensors, state.handle, stream);
  if (status != CUDNN_STATUS_SUCCESS && plan.from_disk) {
    // Made for a GPU that was described, and this one is not quite like it.
    plan.steps = make_plan(state, problem, tensors, stream);
    status = execute_all(plan.steps, tensors, state.handle, stream);
  }
  plan.from_disk = false;
  if (status != CUDNN_STATUS_SUCCESS) {
    check(status, ("the convolution " + cuda::describe(problem)).c_str());
  }
}

}  // namespace
}  // namespace mrcnn::cudnn

namespace mrcnn::cuda {

void run_convolution(const ConvolutionProblem& problem, const void* input, const void* weight,
                     const float* bias, const void* residual, void* output, Stream stream) {
  check_convolution_problem(problem);
  if (problem.batch == 0) {
    if (problem.pass != ConvolutionPass::kWeightGradient) return;
    const int64_t count =
        problem.out_channels * problem.kernel[0] * problem.kernel[1] * problem.channels;
    MRCNN_CUDA_CHECK(cudaMemsetAsync(
        output, 0, static_cast<size_t>(count * dtype_bytes(problem.dtype)), stream));
    return;
  }
  const cudnn::Tensors tensors = cudnn::tensors_of(problem, input, weight, bias, residual, output);
  cudnn::DeviceState& state = cudnn::state_of_current_device();
  const std::lock_guard lock(state.mutex);
  cudnn::run(state, problem, tensors, stream);
}

void set_convolution_autotune(bool autotune) { cudnn::autotune() = autotune; }

std::vector<std::string> convolution_fallbacks() {
  const std::lock_guard lock(cudnn::fallbacks().mutex);
  return cudnn::fallbacks().lines;
}

}  // namespace mrcnn::cuda
