// The model that a training run starts with.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/io/tensor_file.h"
#include "data/dataset.h"
#include "models/mask_rcnn/training.h"
#include "tools/trainer/train_config.h"

namespace mrcnn {

struct ModelSetup {
  std::unique_ptr<TrainableMaskRcnn> model;     // parameters loaded, on the CPU
  std::map<std::string, std::string> metadata;  // for weight files, models/weight_metadata.h
  std::string summary_line;                     // "maskrcnn_resnet18_fpn, 6 classes, from x.pth"
  // Parameters that got random values although weights were given: the file lacks them, or has them
  // for another number of classes.
  std::vector<std::string> reinitialised;
};

// The model's configuration: the preset of config.model with what the run and the weight file
// change.
MaskRcnnConfig training_model_config(const TrainConfig& config, int64_t num_classes);

// Throws UsageError on settings that make no model, FileError (ExitCode::kModel) if the weights
// cannot be read or hold no tensor of the model.
ModelSetup set_up_model(const TrainConfig& config, const Dataset& dataset);

// The same for a run that goes on from a checkpoint, which replaces config.init.
ModelSetup model_of_checkpoint(const TrainConfig& config, const Dataset& dataset,
                               const TensorArchive& checkpoint, const std::string& path);

}  // namespace mrcnn
