// A walk over the markers of a JPEG file, for what TurboJPEG does not report: the coding process,
// the bit depth, the number of scans, and the EXIF block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mrcnn {

struct JpegMarkers {
  int frame_marker = 0;  // 0xC0..0xCF of the first frame header, 0 if there is none
  int precision = 0;     // bits a sample
  int64_t height = 0;
  int64_t width = 0;
  int64_t num_scans = 0;
  bool has_end = false;             // the marker that ends a whole file
  std::span<const std::byte> exif;  // TIFF block of the first EXIF segment
};

// Never fails: a damaged segment ends the walk, and the decoder says what is wrong.
// Source: ITU-T T.81, annex B.
JpegMarkers walk_jpeg_markers(std::span<const std::byte> bytes);

}  // namespace mrcnn
