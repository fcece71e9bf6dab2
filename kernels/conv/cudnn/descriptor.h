// An owner of a descriptor of cuDNN's backend API: a record whose attributes are set, then checked
// and frozen by finalize().
#pragma once

#include <cudnn_graph.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mrcnn::cudnn {

class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  cudnnBackendDescriptor_t get() const { return descriptor_; }

  // Each throws CudaError if the attribute does not take the value.
  void set(cudnnBackendAttributeName_t name, int64_t value);
  void set(cudnnBackendAttributeName_t name, int32_t value);
  void set(cudnnBackendAttributeName_t name, std::span<const int64_t> values);
  void set(cudnnBackendAttributeName_t name, float value);
  void set(cudnnBackendAttributeName_t name, bool value);
  void set(cudnnBackendAttributeName_t name, cudnnDataType_t value);
  void set(cudnnBackendAttributeName_t name, cudnnConvolutionMode_t value);
  void set(cudnnBackendAttributeName_t name, cudnnPointwiseMode_t value);
  void set(cudnnBackendAttributeName_t name, cudnnBackendHeurMode_t value);
  void set_addresses(cudnnBackendAttributeName_t name, std::span<void* const> values);
  void set(cudnnBackendAttributeName_t name, const Descriptor& value);
  void set(cudnnBackendAttributeName_t name, std::span<const cudnnBackendDescriptor_t> values);
  void set(cudnnBackendAttributeName_t name, const std::string& text);

  void finalize();
  // The same for a question that may be answered with no: "" or why not.
  std::string try_finalize();

  int64_t get_int64(cudnnBackendAttributeName_t name) const;
  std::string get_text(cudnnBackendAttributeName_t name) const;
  std::vector<cudnnBackendNumericalNote_t> get_numerical_notes() const;  // of an engine
  std::vector<cudnnBackendBehaviorNote_t> get_behavior_notes() const;
  // The engine of a configuration.
  Descriptor get_engine() const;
  // The configurations that a heuristic proposes.
  std::vector<Descriptor> get_configurations() const;

 private:
  void set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, size_t count,
               const void* values);
  int64_t get_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, size_t count,
                  void* values) const;

  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

}  // namespace mrcnn::cudnn
