// What went wrong: the first fault of the device, refused calls, and programs that die.
#pragma once

#include <string>

#include "tests/emulation/include/cuda_runtime_api.h"

namespace emu {

// A fault of the device. The first one is kept; from then on every call returns its code.
void fault(cudaError_t code, const std::string& text);
// The code of the kept fault, or cudaSuccess.
cudaError_t fault_code();
// A call that is refused and leaves the device as it was; `text` joins the error string.
cudaError_t refuse(cudaError_t code, const std::string& text);
// What a call returns that itself went well.
cudaError_t finish();
void forget_fault();

}  // namespace emu
