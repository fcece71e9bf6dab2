// What the two decoders share: the stored picture before its orientation is applied, and the checks
// of a header against the limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "data/image/image.h"

namespace mrcnn {

struct StoredImage {
  Tensor pixels;  // [H, W, 3] u8 RGB as stored
  int orientation = 1;
  std::vector<std::string> warnings;
};

StoredImage decode_jpeg(std::span<const std::byte> bytes, const std::string& name,
                        const DecodeOptions& options);
StoredImage decode_png(std::span<const std::byte> bytes, const std::string& name,
                       const DecodeOptions& options);
// One byte a pixel as stored, [H, W] u8. Any damage is an error.
Tensor decode_png_numbers(std::span<const std::byte> bytes, const std::string& name,
                          const ImageLimits& limits);

// Throws FileError if the size is empty or past a limit.
void check_image_size(int64_t height, int64_t width, const std::string& name,
                      const ImageLimits& limits);

}  // namespace mrcnn
