#include "models/weight_metadata.h"

#include "models/coco_classes.h"

namespace mrcnn {
namespace {

std::string coco_names_json() {
  std::string json = "[";
  for (const std::string_view name : coco_class_names()) {
    json += (json.size() == 1 ? "\"" : ",\"") + std::string(name) + "\"";
  }
  return json + "]";
}

}  // namespace

std::map<std::string, std::string> weight_metadata(Vocabulary vocabulary, std::string_view model,
                                                   int64_t num_classes) {
  using namespace metadata_key;
  std::map<std::string, std::string> facts;
  const auto set = [&](std::string_view key, std::string_view value) {
    facts[std::string(key)] = value;
  };
  const bool is_detectron2 = vocabulary == Vocabulary::kDetectron2;
  const bool is_torchvision_v1 =
      vocabulary == Vocabulary::kTorchvision && model == "maskrcnn_resnet50_fpn";
  set(kFormatVersion, "1");
  set(kModel, model);
  set(kNumClasses, std::to_string(num_classes));
  set(kSourceNames, vocabulary_name(vocabulary));
  set(kBnEps, is_torchvision_v1 ? "0" : "1e-05");
  set(kPixelOrder, is_detectron2 ? "BGR" : "RGB");
  set(kPixelScale, is_detectron2 ? "1" : "255");
  set(kPixelMean, is_detectron2 ? "103.53,116.28,123.675" : "0.485,0.456,0.406");
  set(kPixelStd, is_detectron2 ? "1,1,1" : "0.229,0.224,0.225");
  if (is_detectron2) {
    set(kStrideIn1x1, "true");
    set(kRoiAligned, "true");
    set(kRoiSamples, "0");
    set(kAnchorsRounded, "false");
  }
  if (num_classes == static_cast<int64_t>(coco_class_names().size())) {
    set(kClassNames, coco_names_json());
  }
  return facts;
}

}  // namespace mrcnn
