// How much a file may ask of its reader, all in one place. Files come from strangers: what one
// claims is compared with these before memory is taken or time spent for it, and a file past one is
// refused with a message that names the limit. Each is far above what published files need. Every
// program prints them with --show-limits (tools/show_limits.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace mrcnn {

struct SafetensorsLimits {
  int64_t header_bytes = 100'000'000;  // set by the format
  size_t tensors = 1'000'000;          // a tensor costs the reader some 200 bytes
  size_t rank = 16;                    // twice what any framework writes
  size_t json_depth = 64;              // the header needs 4
};

struct PthLimits {
  // ZIP container
  size_t zip_entries = 100'000;
  size_t member_name_bytes = 1'024;
  uint64_t inflate_ratio = 200;  // weights hardly shrink; applies above inflate_free_bytes
  uint64_t inflate_free_bytes = uint64_t{64} << 20;
  uint64_t pickle_member_bytes = uint64_t{64} << 20;  // data.pkl holds names and shapes only
  // Pickle machine
  int64_t opcodes = 20'000'000;
  size_t values = 2'000'000;           // distinct objects
  size_t container_items = 8'000'000;  // over all lists, tuples and dicts
  size_t stack = 1'000'000;
  size_t marks = 10'000;
  size_t memo = 5'000'000;
  size_t global_name_bytes = 512;
  // Tensors
  size_t tensors = 100'000;
  size_t rank = 16;
  size_t storage_key_bytes = 64;
  uint64_t expanded_free_bytes = uint64_t{64} << 20;  // of tensors larger than their storage
  uint64_t total_ratio = 4;  // all tensors together, times the file size, plus the free bytes
  // Walking the object
  size_t nesting = 1'000;
  size_t visited = 2'000'000;
};

// Checked against the header before memory for pixels is taken.
struct ImageLimits {
  int64_t max_file_bytes = int64_t{256} << 20;
  int64_t max_pixels = 178'956'970;  // Pillow's default error level
  int64_t max_side = 65'500;         // libjpeg's JPEG_MAX_DIMENSION
  int64_t max_scans = 100;           // progressive JPEG; each scan costs a pass over the picture
  int64_t max_png_chunk_bytes = int64_t{8} << 20;
};

struct XmlLimits {
  int64_t max_bytes = int64_t{4} << 20;
  int64_t max_depth = 16;
  int64_t max_elements = 100'000;
};

struct AnnotationLimits {
  int64_t json_depth = 64;                    // COCO needs 5
  int64_t element_bytes = int64_t{64} << 20;  // one annotation, with all its polygons
  int64_t key_bytes = 1'024;                  // a key of the root
  int64_t file_name_bytes = 4'096;            // the longest path of Linux
  int64_t polygon_numbers = 2'000'000;        // twice the corners of one polygon
  int64_t mask_pixels = int64_t{1} << 30;     // run lengths are counted in 32 bits
  int64_t polygon_coordinate = 100'000'000;  // pixels from the origin; five times that fits 32 bits
  int64_t side = ImageLimits{}.max_side;     // pixels; a larger picture cannot be decoded
};

struct Limits {
  SafetensorsLimits safetensors;
  PthLimits pth;
  ImageLimits image;
  AnnotationLimits annotation;
  XmlLimits xml;
};

inline constexpr Limits kLimits{};

}  // namespace mrcnn
