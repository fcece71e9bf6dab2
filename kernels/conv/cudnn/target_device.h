// The GPU that plans are made for: one of this machine, or one that is described and need not be
// there.
#pragma once

#include <string>

#include "kernels/conv/cudnn/descriptor.h"

namespace mrcnn::cudnn {

class TargetDevice {
 public:
  // A GPU of this machine by its CUDA index. Throws DeviceError.
  static TargetDevice present(int index);
  // As json() of such a GPU wrote it. Throws UsageError if the text is no description.
  static TargetDevice described(const std::string& json);

  const Descriptor& properties() const { return properties_; }
  const std::string& json() const { return json_; }
  const std::string& name() const { return name_; }               // "NVIDIA H100 80GB HBM3"
  int compute_capability() const { return compute_capability_; }  // 90
  int multiprocessors() const { return multiprocessors_; }
  // "NVIDIA H100 80GB HBM3, sm_90, 132 multiprocessors"
  std::string description() const;

 private:
  explicit TargetDevice(Descriptor properties);

  Descriptor properties_;
  std::string json_;
  std::string name_;
  int compute_capability_ = 0;
  int multiprocessors_ = 0;
};

}  // namespace mrcnn::cudnn
