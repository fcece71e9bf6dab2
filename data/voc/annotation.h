// One annotation file of PASCAL VOC.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mrcnn {

struct VocObject {
  std::string name;
  std::array<double, 4> box{};  // xmin, ymin, xmax, ymax as written: the first pixel is 1
  bool difficult = false;
};

struct VocAnnotation {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<VocObject> objects;  // in the order of the file
};

// Reads <size> and the <object>s; parts of an object (<part>) and all else are skipped. Numbers may
// have a fraction, as some files of 2011 have. Throws FileError that names the line of what is
// missing, doubled or no number.
VocAnnotation parse_voc_annotation(std::span<const std::byte> bytes, const std::string& name);
VocAnnotation load_voc_annotation(const std::string& path);

}  // namespace mrcnn
