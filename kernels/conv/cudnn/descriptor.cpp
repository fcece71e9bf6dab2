#include "kernels/conv/cudnn/descriptor.h"

#include <array>
#include <utility>

#include "kernels/conv/cudnn/library.h"

namespace mrcnn::cudnn {

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
  check(library().create_descriptor(type, &descriptor_), "cudnnBackendCreateDescriptor");
}

Descriptor::~Descriptor() {
  if (descriptor_ != nullptr) library().destroy_descriptor(descriptor_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, nullptr)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

void Descriptor::set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                         size_t count, const void* values) {
  const cudnnStatus_t status =
      library().set_attribute(descriptor_, name, type, static_cast<int64_t>(count), values);
  if (status != CUDNN_STATUS_SUCCESS) {
    check(status, ("cudnnBackendSetAttribute " + std::to_string(name)).c_str());
  }
}

void Descriptor::set(cudnnBackendAttributeName_t name, int64_t value) {
  set_raw(name, CUDNN_TYPE_INT64, 1, &value);
}

void Descriptor::set(cudnnBackendAttributeName_t name, std::span<const int64_t> values) {
  set_raw(name, CUDNN_TYPE_INT64, values.size(), values.data());
}

void Descriptor::set(cudnnBackendAttributeName_t name, float value) {
  set_raw(name, CUDNN_TYPE_FLOAT, 1, &value);
}

void Descriptor::set(cudnnBackendAttributeName_t name, bool value) {
  set_raw(name, CUDNN_TYPE_BOOLEAN, 1, &value);
}

void Descriptor::set(cudnnBackendAttributeName_t name, cudnnDataType_t value) {
  set_raw(name, CUDNN_TYPE_DATA_TYPE, 1, &value);
}

void Descriptor::set(cudnnBackendAttributeName_t name, cudnnConvolutionMode_t value) {
  set_raw(name, CUDNN_TYPE_CONVOLUTION_MODE, 1, &value);
}

void Descriptor::set(cudnnBackendAttributeName_t name, cudnnPointwiseMode_t value) {
  set_raw(name, CUDNN_TYPE_POINTWISE_MODE, 1, &value);
}

void Descriptor::set(cudnnBackendAttributeName_t name, cudnnBackendHeurMode_t value) {
  set_raw(name, CUDNN_TYPE_HEUR_MODE, 1, &value);
}

void Descriptor::set(cudnnBackendAttributeName_t name, int32_t value) {
  set_raw(name, CUDNN_TYPE_INT32, 1, &value);
}

void Descriptor::set_addresses(cudnnBackendAttributeName_t name, std::span<void* const> values) {
  set_raw(name, CUDNN_TYPE_VOID_PTR, values.size(), values.data());
}

void Descriptor::set(cudnnBackendAttributeName_t name, const Descriptor& value) {
  set_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.descriptor_);
}

void Descriptor::set(cudnnBackendAttributeName_t name,
                     std::span<const cudnnBackendDescriptor_t> values) {
  set_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, values.size(), values.data());
}

void Descriptor::set(cudnnBackendAttributeName_t name, const std::string& text) {
  set_raw(name, CUDNN_TYPE_CHAR, text.size() + 1, text.c_str());  // the end mark counts
}

void Descriptor::finalize() { check(library().finalize(descriptor_), "cudnnBackendFinalize"); }

std::string Descriptor::try_finalize() {
  const cudnnStatus_t status = library().finalize(descriptor_);
  return status == CUDNN_STATUS_SUCCESS ? std::string{} : explain(status);
}

int64_t Descriptor::get_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                            size_t count, void* values) const {
  int64_t found = 0;
  const cudnnStatus_t status =
      library().get_attribute(descriptor_, name, type, static_cast<int64_t>(count), &found, values);
  if (status != CUDNN_STATUS_SUCCESS) {
    check(status, ("cudnnBackendGetAttribute " + std::to_string(name)).c_str());
  }
  return found;
}

int64_t Descriptor::get_int64(cudnnBackendAttributeName_t name) const {
  int64_t value = 0;
  get_raw(name, CUDNN_TYPE_INT64, 1, &value);
  return value;
}

std::string Descriptor::get_text(cudnnBackendAttributeName_t name) const {
  std::string text(static_cast<size_t>(get_raw(name, CUDNN_TYPE_CHAR, 0, nullptr)), '\0');
  text.resize(static_cast<size_t>(get_raw(name, CUDNN_TYPE_CHAR, text.size(), text.data())));
  while (text.ends_with('\0')) text.pop_back();
  return text;
}

std::vector<cudnnBackendNumericalNote_t> Descriptor::get_numerical_notes() const {
  // Room for notes that a newer library may add.
  std::vector<cudnnBackendNumericalNote_t> notes(4 * CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  notes.resize(static_cast<size_t>(get_raw(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                           CUDNN_TYPE_NUMERICAL_NOTE, notes.size(), notes.data())));
  return notes;
}

std::vector<cudnnBackendBehaviorNote_t> Descriptor::get_behavior_notes() const {
  std::vector<cudnnBackendBehaviorNote_t> notes(4 * CUDNN_BEHAVIOR_NOTE_TYPE_COUNT);
  notes.resize(static_cast<size_t>(get_raw(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE,
                                           CUDNN_TYPE_BEHAVIOR_NOTE, notes.size(), notes.data())));
  return notes;
}

Descriptor Descriptor::get_engine() const {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  get_raw(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &engine.descriptor_);
  return engine;
}

std::vector<Descriptor> Descriptor::get_configurations() const {
  // The first answer counts what may be proposed, the second what the device supports of it.
  const int64_t proposed =
      get_raw(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr);
  std::vector<Descriptor> configurations;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < proposed; ++i) {
    raw.push_back(configurations.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).get());
  }
  if (raw.empty()) return configurations;
  const int64_t supported =
      get_raw(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, raw.size(), raw.data());
  configurations.erase(configurations.begin() + supported, configurations.end());
  return configurations;
}

}  // namespace mrcnn::cudnn
