// COCO annotation files out: images, categories and objects of a data set as one JSON text.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace mrcnn {

// Both are read by every COCO reader and give the mask back exactly.
enum class SegmentationForm {
  kCompressedRle,
  // Polygons along pixel edges, one for each connected part, where the mask has no hole; compressed
  // RLE where it has, because COCO takes the union of polygons.
  kPolygons,
};

class CocoAnnotationWriter {
 public:
  // `info` is a JSON object, taken as it is: the value of "info".
  CocoAnnotationWriter(std::string_view info, SegmentationForm form);

  // Text that is not UTF-8 throws Error with ExitCode::kData.
  void add_class(const DatasetClass& one);
  void add_image(const DatasetImage& image);
  // The box is written as [x, y, width, height], the label as `category_id`.
  void add_object(const DatasetObject& object, int64_t image_id, int64_t category_id);

  // The whole text; "info" comes first. One record a line.
  std::string finish() const;

  // What every text with this info begins with.
  static std::string beginning(std::string_view info);

 private:
  std::string info_;
  SegmentationForm form_;
  std::string categories_;
  std::string images_;
  std::string annotations_;
};

// The value of "segmentation".
std::string coco_segmentation(const Rle& mask, SegmentationForm form);

// A JSON string with its quotes. Throws Error with ExitCode::kData if the text is not UTF-8.
std::string json_text(std::string_view text);

}  // namespace mrcnn
