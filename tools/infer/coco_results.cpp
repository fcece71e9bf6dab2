#include "tools/infer/coco_results.h"

#include <string_view>

#include "data/masks/outline.h"
#include "data/masks/rle.h"
#include "tools/report/document_output.h"

namespace mrcnn {

CocoResults::CocoResults(const std::string& path, MaskForm form)
    : output_(std::make_unique<DocumentOutput>(path)),
      json_([this](std::string_view text) { output_->write(text); }),
      form_(form) {
  json_.begin_array(JsonWriter::Layout::kLinePerItem);
}

CocoResults::~CocoResults() = default;

void CocoResults::consume(const ImageResult& result) {
  const Instances& instances = result.instances;
  for (int64_t i = 0; i < instances.size(); ++i) {
    const float* box = instances.boxes.data<float>() + 4 * i;
    json_.begin_object();
    json_.member("image_id", result.image_id);
    json_.member("category_id", instances.labels.data<int64_t>()[i]);
    json_.key("bbox");
    json_.begin_array();
    for (const float number : {box[0], box[1], box[2] - box[0], box[3] - box[1]}) {
      json_.value(number);
    }
    json_.end_array();
    json_.member("score", instances.scores.data<float>()[i]);
    json_.key("segmentation");
    write_segmentation(result.masks[static_cast<size_t>(i)]);
    json_.member("file_name", result.path);
    json_.end_object();
  }
}

void CocoResults::finish() {
  json_.end_array();
  json_.finish();
  output_->commit();
}

void CocoResults::write_segmentation(const Rle& mask) {
  // pycocotools refuses an empty list of polygons, so an empty mask stays a run-length object.
  if (form_ == MaskForm::kPolygons && rle_area(mask) > 0) {
    json_.begin_array();
    for (const Polygon& polygon : mask_outlines(mask, HoleStyle::kBridged)) {
      json_.begin_array();
      for (const float coordinate : polygon) json_.value(coordinate);
      json_.end_array();
    }
    json_.end_array();
    return;
  }
  json_.begin_object();
  json_.key("size");
  json_.begin_array();
  json_.value(mask.height);
  json_.value(mask.width);
  json_.end_array();
  json_.member("counts", rle_to_string(mask));
  json_.end_object();
}

}  // namespace mrcnn
