#include "kernels/conv/cudnn/target_device.h"

#include <charconv>
#include <utility>

#include "core/error.h"

namespace mrcnn::cudnn {
namespace {

// What follows "key": in a flat JSON object that cuDNN wrote, up to the next comma or brace.
std::string raw_value(const std::string& json, const std::string& key) {
  const std::string label = "\"" + key + "\":";
  const size_t at = json.find(label);
  if (at == std::string::npos) throw UsageError("[cudnn] device description has no " + key);
  const size_t begin = at + label.size();
  return json.substr(begin, json.find_first_of(",}", begin) - begin);
}

int number(const std::string& json, const std::string& key) {
  const std::string text = raw_value(json, key);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw UsageError("[cudnn] device description: " + key + " is no number: " + text);
  }
  return value;
}

}  // namespace

TargetDevice::TargetDevice(Descriptor properties) : properties_(std::move(properties)) {
  json_ = properties_.get_text(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION);
  name_ = raw_value(json_, "deviceName");
  std::erase(name_, '"');
  compute_capability_ = number(json_, "deviceVer") / 10;
  multiprocessors_ = number(json_, "multiProcessorCount");
}

TargetDevice TargetDevice::present(int index) {
  Descriptor properties(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  properties.set(CUDNN_ATTR_DEVICEPROP_DEVICE_ID, int32_t{index});
  const std::string problem = properties.try_finalize();
  if (!problem.empty()) {
    throw DeviceError("[cudnn] cannot read the properties of cuda:" + std::to_string(index) + ": " +
                      problem);
  }
  return TargetDevice(std::move(properties));
}

TargetDevice TargetDevice::described(const std::string& json) {
  Descriptor properties(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  properties.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, json);
  const std::string problem = properties.try_finalize();
  if (!problem.empty()) {
    throw UsageError("[cudnn] not the description of a device: " + problem);
  }
  return TargetDevice(std::move(properties));
}

std::string TargetDevice::description() const {
  return name_ + ", sm_" + std::to_string(compute_capability_) + ", " +
         std::to_string(multiprocessors_) + " multiprocessors";
}

}  // namespace mrcnn::cudnn
