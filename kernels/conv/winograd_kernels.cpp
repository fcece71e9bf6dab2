#include "kernels/conv/winograd_kernels.h"

#include <vector>

namespace mrcnn::cpu {

std::span<const WinogradKernels> winograd_kernels() {
  static const std::vector<WinogradKernels> usable = [] {
    std::vector<WinogradKernels> list;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) list.push_back(kWinogradAvx512);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
      list.push_back(kWinogradAvx2);
    }
#endif
    return list;
  }();
  return usable;
}

}  // namespace mrcnn::cpu
