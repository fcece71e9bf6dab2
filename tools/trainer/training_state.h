// What training changes: the model's parameters, the optimizer's momenta, the running mean.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/io/tensor_file.h"
#include "layers/optim/sgd.h"
#include "models/mask_rcnn/mask_rcnn.h"
#include "models/mask_rcnn/training.h"
#include "tools/trainer/checkpoint_file.h"
#include "tools/trainer/train_config.h"

namespace mrcnn {

// Bytes.
struct MemoryUse {
  int64_t weights = 0;    // buffers too
  int64_t gradients = 0;  // when every trained parameter has one
  int64_t momenta = 0;
  int64_t means = 0;
};

class TrainingState {
 public:
  // Places the model's loaded parameters on the device and chooses those that are trained.
  TrainingState(TrainableMaskRcnn& model, const TrainConfig& config, const Execution& execution);

  Sgd& sgd() { return sgd_; }
  int64_t num_trained() const;  // values
  MemoryUse memory_use() const;
  // After an update of the parameters.
  void update_ema();

  // For a checkpoint: parameters and buffers, momenta, running mean.
  std::vector<StateTensor> tensors();
  // The inverse. Throws FileError (ExitCode::kModel) if a tensor is missing or of another shape.
  void restore(const TensorArchive& archive, const std::string& path);

  // A model for inference on the same device with the present parameters, or the running mean of
  // them where there is one.
  std::unique_ptr<MaskRcnn> inference_model() const;

 private:
  TrainableMaskRcnn& model_;
  double ema_decay_;
  Sgd sgd_;
  std::vector<Parameter> ema_;  // of the trained parameters
};

}  // namespace mrcnn
