// The data sets of a training run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "tools/trainer/train_config.h"

namespace mrcnn {

struct TrainData {
  std::unique_ptr<Dataset> train;
  std::unique_ptr<Dataset> val;    // null where val_split is empty
  std::vector<std::string> notes;  // what a user should know, a line each
};

// config.data is a folder of COCO or PASCAL VOC data, or "shapes", which is generated into
// OUT/shapes unless it is there already and whose parts are "train" and "val". Throws FileError or
// UsageError; an Error with ExitCode::kData when the two parts disagree about the classes.
TrainData open_train_data(const TrainConfig& config);

}  // namespace mrcnn
