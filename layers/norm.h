// Batch normalisation per channel: y = (x - mean) / sqrt(var + eps) * weight + bias.
#pragma once

#include <string>

#include "layers/module.h"

namespace mrcnn {

enum class NormKind {
  kNone,
  kFrozen,  // four constant buffers (torchvision.ops.FrozenBatchNorm2d)
  kBatch,   // weight and bias are trained, statistics are running means (torch.nn.BatchNorm2d)
};

// Registers weight, bias, running_mean, running_var [C]; kBatch also num_batches_tracked i64.
class BatchNorm2d : public Module {
 public:
  BatchNorm2d(int64_t channels, NormKind kind, double eps);
  std::string type_name() const override;
  std::string arguments() const override;

  NormKind kind() const { return kind_; }
  double eps() const { return eps_; }
  void set_eps(double eps) { eps_ = eps; }
  const Tensor& weight() const { return weight_.value; }
  const Tensor& bias() const { return bias_.value; }
  const Tensor& running_mean() const { return running_mean_.value; }
  const Tensor& running_var() const { return running_var_.value; }
  // Adds one to num_batches_tracked where there is one. The counter lies on the CPU.
  void count_batch() const;

 private:
  int64_t channels_;
  NormKind kind_;
  double eps_;
  Parameter weight_;
  Parameter bias_;
  Parameter running_mean_;
  Parameter running_var_;
  Parameter num_batches_tracked_;
};

}  // namespace mrcnn
