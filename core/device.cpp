#include "core/device.h"

#include <charconv>

#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kNoCuda = "this version has no GPU kernels";

bool is_cuda_name(std::string_view text) {
  if (text == "cuda") return true;
  if (!text.starts_with("cuda:")) return false;
  text.remove_prefix(5);
  int index = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  return error == std::errc{} && end == text.data() + text.size() && index >= 0;
}

}  // namespace

std::string Device::to_string() const { return is_cpu() ? "cpu" : "cuda:" + std::to_string(index); }

DeviceChoice choose_device(std::string_view text) {
  if (text == "cpu") return {Device{}, "asked for"};
  if (text == "auto") return {Device{}, kNoCuda};
  if (is_cuda_name(text)) {
    throw DeviceError("device '" + std::string(text) + "' cannot be used: " + kNoCuda +
                      "; use --device cpu or auto");
  }
  throw UsageError("unknown device '" + std::string(text) +
                   "': use auto, cpu, cuda or cuda:<index>");
}

}  // namespace mrcnn
