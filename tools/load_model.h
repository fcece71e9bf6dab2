// A model ready to run, from a weight file of any known format or from seeded weights.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/mask_rcnn/mask_rcnn.h"

namespace mrcnn {

struct LoadOptions {
  // A .safetensors, .pth or .pkl file, or "seeded" / "seeded:<n>": weights that are a function of
  // the number, for tests and timings; they find nothing meaningful.
  std::string weights = {};
  std::string model = {};       // "": from the file's metadata or its tensor names
  int64_t seeded_classes = 91;  // of seeded weights; files know theirs
  // Replace the model's defaults.
  std::optional<float> score_threshold = {};
  std::optional<double> nms_threshold = {};
  std::optional<int64_t> max_detections = {};
  Execution execution = {};  // where the model runs and in which precision
  bool compat = false;       // the original system's faults, for maskrcnn_resnet50_c5 only
};

struct LoadedModel {
  std::unique_ptr<MaskRcnn> model;
  std::vector<std::string> class_names;  // by class id, background included
  std::string summary_line;              // "maskrcnn_resnet50_fpn, 91 classes, from x.pth"
};

// Throws FileError (ExitCode::kModel) if the file is damaged or does not hold the model, UsageError
// on an unknown model name or a threshold out of range, or a
// precision that the device does not compute in.
LoadedModel load_model(const LoadOptions& options);

// The number in "seeded:<n>", a default one for "seeded"; nothing for the name of a file. Throws
// UsageError if what follows the colon is no number.
std::optional<uint64_t> seeded_weights_seed(const std::string& weights);

}  // namespace mrcnn
