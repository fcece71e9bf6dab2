#include "tools/show_limits.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <vector>

#include "core/io/limits.h"

namespace mrcnn {
namespace {

struct Line {
  std::string_view name;
  uint64_t value;
  std::string_view what;
};

std::vector<Line> lines() {
  const auto line = [](std::string_view name, auto value, std::string_view what) {
    return Line{name, static_cast<uint64_t>(value), what};
  };
  const SafetensorsLimits& tensors = kLimits.safetensors;
  const PthLimits& pth = kLimits.pth;
  const ImageLimits& image = kLimits.image;
  const AnnotationLimits& annotation = kLimits.annotation;
  const XmlLimits& xml = kLimits.xml;
  return {
      line("safetensors.header_bytes", tensors.header_bytes, "set by the format"),
      line("safetensors.tensors", tensors.tensors, "in a file"),
      line("safetensors.rank", tensors.rank, "axes of a tensor"),
      line("safetensors.json_depth", tensors.json_depth,
           "brackets inside each other in the header"),
      line("pth.zip_entries", pth.zip_entries, "members of an archive"),
      line("pth.member_name_bytes", pth.member_name_bytes, "of a member's name or a tensor's path"),
      line("pth.inflate_ratio", pth.inflate_ratio, "unpacked by packed bytes of a member ..."),
      line("pth.inflate_free_bytes", pth.inflate_free_bytes, "... above this size"),
      line("pth.pickle_member_bytes", pth.pickle_member_bytes, "of data.pkl"),
      line("pth.opcodes", pth.opcodes, "of a pickle"),
      line("pth.values", pth.values, "objects in a pickle"),
      line("pth.container_items", pth.container_items, "in all lists, tuples and dicts together"),
      line("pth.stack", pth.stack, "objects on the pickle machine's stack"),
      line("pth.marks", pth.marks, "marks open at once"),
      line("pth.memo", pth.memo, "objects kept for later"),
      line("pth.global_name_bytes", pth.global_name_bytes, "of a class or function's name"),
      line("pth.tensors", pth.tensors, "in a file"),
      line("pth.rank", pth.rank, "axes of a tensor"),
      line("pth.storage_key_bytes", pth.storage_key_bytes, "of the name of a stored buffer"),
      line("pth.expanded_free_bytes", pth.expanded_free_bytes,
           "of a tensor with more elements than its buffer"),
      line("pth.total_ratio", pth.total_ratio, "all tensors by the file's bytes, above that size"),
      line("pth.nesting", pth.nesting, "containers inside each other"),
      line("pth.visited", pth.visited, "objects looked at in search of tensors"),
      line("image.max_file_bytes", image.max_file_bytes, "of a JPEG or PNG file"),
      line("image.max_pixels", image.max_pixels, "of a picture"),
      line("image.max_side", image.max_side, "pixels of a side"),
      line("image.max_scans", image.max_scans, "of a progressive JPEG"),
      line("image.max_png_chunk_bytes", image.max_png_chunk_bytes, "of a PNG chunk but pixels"),
      line("annotation.json_depth", annotation.json_depth, "brackets inside each other"),
      line("annotation.element_bytes", annotation.element_bytes, "of one annotation or image"),
      line("annotation.key_bytes", annotation.key_bytes, "of a section's name"),
      line("annotation.file_name_bytes", annotation.file_name_bytes, "of an image's file name"),
      line("annotation.polygon_numbers", annotation.polygon_numbers, "in one polygon"),
      line("annotation.mask_pixels", annotation.mask_pixels, "height times width of an image"),
      line("annotation.polygon_coordinate", annotation.polygon_coordinate,
           "pixels of a corner from the origin"),
      line("annotation.side", annotation.side, "pixels of a side of an image"),
      line("xml.max_bytes", xml.max_bytes, "of an annotation file of VOC"),
      line("xml.max_depth", xml.max_depth, "elements inside each other"),
      line("xml.max_elements", xml.max_elements, "in a file"),
  };
}

}  // namespace

std::string limits_text() {
  std::string text;
  for (const Line& line : lines()) {
    fmt::format_to(std::back_inserter(text), "{:<30} {:>12}  {}\n", line.name, line.value,
                   line.what);
  }
  return text;
}

}  // namespace mrcnn
