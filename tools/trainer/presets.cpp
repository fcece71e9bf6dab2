#include "tools/trainer/settings.h"

namespace mrcnn {

const std::vector<Preset>& presets() {
  static const std::vector<Preset> list = {
      {"default", "the defaults: torchvision's recipe at batch 2, a shorter schedule", {}},
      // The original system's train.py and engine; its 3 epochs would end before the first drop.
      {"original",
       "the original system: one image a step, no augmentation, drops after epochs 6 and 7",
       {"model = maskrcnn_resnet50_c5",
        "batch = 1",
        "lr = 0.00125",
        "momentum = 0.9",
        "weight_decay = 0.0001",
        "schedule = multistep",
        "milestones = 6,7",
        "gamma = 0.1",
        "epochs = 8",
        "warmup_steps = 1000",
        "warmup_epochs = 1",
        "warmup_factor = 0",
        "min_size = 800",
        "max_size = 1333",
        "flip = 0",
        "lsj = false",
        "freeze_stages = 2",
        "loss_mean = batch",
        "keep_checkpoints = 10",
        "auto_resume = true",
        "console = original",
        "log_every = 100"}},
      // torchvision references/detection, the command printed with MaskRCNN_ResNet50_FPN_Weights;
      // 8 GPUs with 2 images each are one step here.
      {"torchvision_v1",
       "torchvision maskrcnn_resnet50_fpn: 16 images a step, 26 epochs",
       {"model = maskrcnn_resnet50_fpn", "batch = 16", "lr = 0.02", "momentum = 0.9",
        "weight_decay = 0.0001", "schedule = multistep", "milestones = 16,22", "gamma = 0.1",
        "epochs = 26", "warmup_steps = 1000", "warmup_epochs = 0", "warmup_factor = 0.001",
        "min_size = 800", "max_size = 1333", "flip = 0.5", "lsj = false", "freeze_stages = 2",
        "loss_mean = batch"}},
      // torchvision pull request 5773: 32 GPUs with 2 images each.
      {"torchvision_v2",
       "torchvision maskrcnn_resnet50_fpn_v2: 64 images a step, 400 epochs, large-scale jitter",
       {"model = maskrcnn_resnet50_fpn_v2", "batch = 64", "lr = 0.1", "momentum = 0.9",
        "weight_decay = 0.00004", "schedule = multistep", "milestones = 352,384", "gamma = 0.1",
        "epochs = 400", "warmup_steps = 1000", "warmup_epochs = 0", "warmup_factor = 0.001",
        "flip = 0.5", "lsj = true", "freeze_stages = 0", "loss_mean = batch"}},
  };
  return list;
}

}  // namespace mrcnn
