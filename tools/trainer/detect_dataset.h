// A model on the images of a data set.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/evaluation/evaluated_objects.h"
#include "models/mask_rcnn/mask_rcnn.h"

namespace mrcnn {

struct DetectDatasetOptions {
  int64_t batch = 1;
  int64_t max_images = 0;                           // the first ones of the set; 0: all
  std::function<bool()> stop_requested = {};        // empty: never
  std::function<void(int64_t done)> progress = {};  // empty: nobody listens
  // What is done with the results happens on a thread of its own while the model goes on. Pays
  // where the model runs on a GPU.
  bool take_behind = false;
};

struct DetectDatasetRun {
  int64_t images = 0;
  std::vector<std::string> skipped;  // images that could not be read; they count as not found
  bool complete = true;              // false: it was asked to stop
};

// `found` is empty for an image that could not be read.
using TakeFound = std::function<void(int64_t index, const Instances& found)>;

// The next images are decoded while the model works. Images keep their stored rows and columns,
// which annotations refer to. `take` is called by one thread at a time; nothing but time depends on
// the batch and on the threads, except that images of a batch which cannot be read come first.
DetectDatasetRun detect_dataset(const MaskRcnn& model, const Dataset& dataset,
                                const DetectDatasetOptions& options, const TakeFound& take);

// As an evaluation wants them, with masks of the size of the image.
std::vector<EvaluatedDetection> evaluated_detections(const Instances& found,
                                                     const MaskRcnnConfig& config);

}  // namespace mrcnn
