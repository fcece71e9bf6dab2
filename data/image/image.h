// Photographs as the rest of the project wants them: RGB, eight bits, upright.
// JPEG pixels equal libjpeg's integer "slow" transform with smooth chroma upsampling, which is what
// Pillow and OpenCV give, so a model sees the pixels it was trained on. PNG: palettes are expanded,
// 16 bits lose their lower byte (gray too; Pillow clips 16-bit gray to 255 instead), alpha is
// dropped without compositing. Gamma and colour profiles are ignored, as Pillow and OpenCV do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "core/io/limits.h"
#include "core/tensor.h"

namespace mrcnn {

struct Image {
  Tensor pixels;              // [H, W, 3] u8, RGB
  int64_t stored_height = 0;  // as in the file, before the orientation is applied
  int64_t stored_width = 0;
  int orientation = 1;  // EXIF orientation 1..8 found in the file, 1 if none
  bool orientation_applied = false;
  std::vector<std::string> warnings;  // what was odd but did not stop the decoder
};

enum class ExifPolicy {
  kApply,   // turn the picture as a viewer shows it
  kIgnore,  // keep the stored rows and columns, as torchvision and pycocotools do
};

// What happens to a picture whose data end early or are damaged.
enum class BadImagePolicy {
  kFail,     // FileError; a decoder's warning counts as damage
  kPartial,  // keep what was decoded, the rest is gray or black, and say so in `warnings`
};

struct DecodeOptions {
  ExifPolicy exif = ExifPolicy::kApply;
  BadImagePolicy bad_image = BadImagePolicy::kFail;
  ImageLimits limits{};
};

// Reads a regular file (no FIFO, device or directory) within the limit of bytes. Throws FileError.
FileBytes read_image_file(const std::string& path, const ImageLimits& limits = {});

// Decodes a JPEG or PNG held in memory; `name` stands in error messages. The format is told from
// the content, never from the name. Throws FileError with ExitCode::kData.
Image decode_image(std::span<const std::byte> bytes, const std::string& name,
                   const DecodeOptions& options = {});

// Both at once.
Image load_image(const std::string& path, const DecodeOptions& options = {});

// The numbers behind the colours of a PNG whose pixels stand for objects or classes: indices of its
// palette, or gray levels of up to eight bits as stored. [H, W] u8. A picture of other kinds, any
// damage included, throws FileError; an EXIF orientation is ignored.
Tensor decode_png_indices(std::span<const std::byte> bytes, const std::string& name,
                          const ImageLimits& limits = {});
Tensor load_png_indices(const std::string& path, const ImageLimits& limits = {});

}  // namespace mrcnn
