#include "data/coco/annotation_writer.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "data/masks/outline.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

// Outer outlines run clockwise on the screen, holes the other way round.
bool is_hole(const Polygon& polygon) {
  double doubled_area = 0;
  for (size_t i = 0; i < polygon.size(); i += 2) {
    const size_t next = (i + 2) % polygon.size();
    doubled_area += double{polygon[i]} * double{polygon[next + 1]} -
                    double{polygon[next]} * double{polygon[i + 1]};
  }
  return doubled_area < 0;
}

void start_record(std::string& records) { records += records.empty() ? "\n" : ",\n"; }

}  // namespace

std::string json_text(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    throw Error(ExitCode::kData,
                fmt::format("JSON cannot hold a text that is not UTF-8: \"{}\"", text));
  }
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string coco_segmentation(const Rle& mask, SegmentationForm form) {
  if (form == SegmentationForm::kPolygons) {
    const std::vector<Polygon> polygons = mask_outlines(mask, HoleStyle::kSeparate);
    if (!polygons.empty() && std::none_of(polygons.begin(), polygons.end(), is_hole)) {
      std::string text = "[";
      for (const Polygon& polygon : polygons) {
        fmt::format_to(std::back_inserter(text), "{}[{}]", text.size() > 1 ? "," : "",
                       fmt::join(polygon, ","));
      }
      return text + "]";
    }
  }
  return fmt::format("{{\"size\":[{},{}],\"counts\":{}}}", mask.height, mask.width,
                     json_text(rle_to_string(mask)));
}

CocoAnnotationWriter::CocoAnnotationWriter(std::string_view info, SegmentationForm form)
    : info_(info), form_(form) {}

void CocoAnnotationWriter::add_class(const DatasetClass& one) {
  start_record(categories_);
  categories_ += fmt::format("{{\"id\":{},\"name\":{}}}", one.category_id, json_text(one.name));
}

void CocoAnnotationWriter::add_image(const DatasetImage& image) {
  start_record(images_);
  images_ += fmt::format("{{\"id\":{},\"file_name\":{},\"height\":{},\"width\":{}}}", image.id,
                         json_text(image.file_name), image.height, image.width);
}

void CocoAnnotationWriter::add_object(const DatasetObject& object, int64_t image_id,
                                      int64_t category_id) {
  const auto& [x1, y1, x2, y2] = object.box;
  start_record(annotations_);
  annotations_ += fmt::format(
      "{{\"id\":{},\"image_id\":{},\"category_id\":{},\"bbox\":[{},{},{},{}],"
      "\"area\":{},\"iscrowd\":{},\"segmentation\":{}}}",
      object.id, image_id, category_id, x1, y1, x2 - x1, y2 - y1, object.area, object.crowd ? 1 : 0,
      coco_segmentation(object.mask, form_));
}

std::string CocoAnnotationWriter::beginning(std::string_view info) {
  return fmt::format("{{\"info\":{},\n", info);
}

std::string CocoAnnotationWriter::finish() const {
  return beginning(info_) + "\"licenses\":[],\n\"categories\":[" + categories_ +
         "\n],\n\"images\":[" + images_ + "\n],\n\"annotations\":[" + annotations_ + "\n]}\n";
}

}  // namespace mrcnn
