// A walk over the chunks of a PNG file, for what is needed before libpng starts: the size, to be
// checked against the limits, and the EXIF block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mrcnn {

struct PngChunks {
  int64_t height = 0;  // 0 if the file does not begin with a whole IHDR chunk
  int64_t width = 0;
  int64_t row_bits = 0;    // of one stored row, without its filter byte
  int64_t data_bytes = 0;  // compressed, of all IDAT chunks
  bool has_end = false;    // the chunk that ends a whole file
  std::span<const std::byte> exif;
};

// Never fails: a damaged chunk ends the walk. Checksums are libpng's business.
// Source: PNG specification, third edition, sec. 5 and 11.
PngChunks walk_png_chunks(std::span<const std::byte> bytes);

}  // namespace mrcnn
