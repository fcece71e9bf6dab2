#include "tests/emulation/report.h"

#include "tests/emulation/emulated_cuda.h"

namespace emu {
namespace {

cudaError_t g_fault = cudaSuccess;
std::string g_fault_text;
// As in CUDA, the last error belongs to the calling thread.
thread_local cudaError_t t_last_error = cudaSuccess;
thread_local cudaError_t t_refused = cudaSuccess;
thread_local std::string t_refusal_text;

struct ErrorName {
  cudaError_t code;
  const char* name;
  const char* text;
};
constexpr ErrorName kErrorNames[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration",
     "invalid configuration argument"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorIllegalState, "cudaErrorIllegalState",
     "the operation cannot be performed in the present state"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress",
     "an illegal memory access was encountered"},
    {cudaErrorMisalignedAddress, "cudaErrorMisalignedAddress", "misaligned address"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorNotSupported, "cudaErrorNotSupported", "operation not supported"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched",
     "the capture was not initiated in this stream"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined",
     "capturing stream has unjoined work"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "dependency created on uncaptured work in another stream"},
    {cudaErrorStreamCaptureImplicit, "cudaErrorStreamCaptureImplicit",
     "operation would make the legacy stream depend on a capturing blocking "
     "stream"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent",
     "operation not permitted on an event last recorded in a capturing stream"},
};
constexpr ErrorName kUnknown = {cudaErrorUnknown, "cudaErrorUnknown", "unknown error"};

const ErrorName& entry_of(cudaError_t code) {
  for (const ErrorName& entry : kErrorNames) {
    if (entry.code == code) return entry;
  }
  return kUnknown;
}

}  // namespace

void fault(cudaError_t code, const std::string& text) {
  if (g_fault != cudaSuccess) return;
  g_fault = code;
  g_fault_text = "emulated CUDA: " + text;
}

cudaError_t fault_code() { return g_fault; }

cudaError_t refuse(cudaError_t code, const std::string& text) {
  t_last_error = t_refused = code;
  t_refusal_text = std::string(entry_of(code).text) + ": emulated CUDA: " + text;
  return code;
}

cudaError_t finish() {
  if (g_fault != cudaSuccess) t_last_error = g_fault;
  return g_fault;
}

void forget_fault() {
  g_fault = t_last_error = t_refused = cudaSuccess;
  g_fault_text.clear();
}

const std::string& report() { return g_fault_text; }

}  // namespace emu

const char* cudaGetErrorName(cudaError_t error) { return emu::entry_of(error).name; }

const char* cudaGetErrorString(cudaError_t error) {
  if (error != cudaSuccess && error == emu::g_fault) return emu::g_fault_text.c_str();
  if (error != cudaSuccess && error == emu::t_refused) return emu::t_refusal_text.c_str();
  return emu::entry_of(error).text;
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = emu::t_last_error;
  emu::t_last_error = emu::g_fault;
  return error;
}

cudaError_t cudaPeekAtLastError() { return emu::t_last_error; }
