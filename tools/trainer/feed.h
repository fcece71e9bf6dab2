// From the loader's samples to what the model trains on.
#pragma once

#include <span>
#include <vector>

#include "data/loader/loader.h"
#include "data/loader/sample.h"
#include "models/mask_rcnn/config.h"
#include "models/mask_rcnn/training_batch.h"
#include "tools/trainer/train_config.h"

namespace mrcnn {

LoaderOptions loader_options(const TrainConfig& config);

struct FeedOptions {
  ResizeParams resize;        // min_size is replaced by each sample's choice
  int64_t jitter_canvas = 0;  // of large-scale jitter; 0: off
};

// How a photo of this size enters the network, by what was chosen for it.
ImagePlacement place_sample(ImageSize photo, const Augmentation& chosen,
                            const FeedOptions& options);

// Takes pixels and masks out of the samples.
std::vector<TrainingImage> training_images(std::vector<Sample>& samples,
                                           const FeedOptions& options);

}  // namespace mrcnn
