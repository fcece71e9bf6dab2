#include "data/coco/annotation_parser.h"

#include <array>

namespace mrcnn {
namespace {

constexpr uint32_t kRequired = kIdField | kImageIdField | kCategoryIdField | kBoxField | kAreaField;

}  // namespace

AnnotationParser::AnnotationParser()
    : elements_({.fields = kRequired | kCrowdField | kSegmentationField, .required = kRequired}) {}

void AnnotationParser::parse(const std::string& path, const JsonPiece& piece, ParsedPiece& parsed) {
  const auto take = [&parsed](const Element& element) {
    ParsedObject object{.row = {},
                        .image_id = element.image_id,
                        .category_id = element.category_id,
                        .element = element.number};
    object.row.id = element.id;
    object.row.box = element.box;
    object.row.area = element.area;
    object.row.crowd = element.crowd ? 1 : 0;
    object.row.geometry = element.geometry;
    object.row.geometry_begin = element.geometry_begin;
    object.row.geometry_size = static_cast<uint32_t>(element.geometry_size);
    parsed.objects.push_back(object);
  };
  parsed.num_elements = elements_.parse(path, piece, parsed.geometry, take, parsed.problems);
}

}  // namespace mrcnn
