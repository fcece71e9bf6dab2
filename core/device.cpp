#include "core/device.h"

#include <charconv>

#include "core/cuda/probe.h"
#include "core/error.h"

namespace mrcnn {
namespace {

// The index in "cuda" (0) or "cuda:1"; -1 for anything else.
int cuda_index(std::string_view text) {
  if (text == "cuda") return 0;
  if (!text.starts_with("cuda:")) return -1;
  text.remove_prefix(5);
  int index = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  return error == std::errc{} && end == text.data() + text.size() ? index : -1;
}

DeviceChoice choose_cuda(std::string_view text, int index) {
  const CudaDevices& devices = cuda_devices();
  const auto count = static_cast<int>(devices.names.size());
  if (index < count) {
    return {Device{DeviceKind::kCuda, index}, devices.names[static_cast<size_t>(index)]};
  }
  const std::string why = count == 0 ? devices.problem
                          : count == 1
                              ? "there is only cuda:0"
                              : "there are only cuda:0 to cuda:" + std::to_string(count - 1);
  throw DeviceError("device '" + std::string(text) + "' cannot be used: " + why +
                    "; use --device cpu or auto");
}

DeviceChoice choose_auto() {
  const CudaDevices& devices = cuda_devices();
  if (devices.names.empty()) return {Device{}, devices.problem};
  if (devices.emulated) return {Device{}, "the emulated GPU is taken only when asked for"};
  return choose_cuda("auto", 0);
}

}  // namespace

std::string Device::to_string() const { return is_cpu() ? "cpu" : "cuda:" + std::to_string(index); }

DeviceChoice choose_device(std::string_view text) {
  if (text == "cpu") return {Device{}, "asked for"};
  if (text == "auto") return choose_auto();
  if (const int index = cuda_index(text); index >= 0) return choose_cuda(text, index);
  throw UsageError("unknown device '" + std::string(text) +
                   "': use auto, cpu, cuda or cuda:<index>");
}

}  // namespace mrcnn
