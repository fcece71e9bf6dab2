// Photographs: JPEG and PNG through our decoder, with EXIF orientations.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "core/allocator.h"
#include "data/image/exif.h"
#include "data/image/image.h"
#include "data/image/write.h"
#include "tests/fuzz/png_checksums.h"
#include "tests/fuzz/target.h"

namespace mrcnn {
namespace {

using fuzz::accepts;
using fuzz::require;

// Small, so that a picture takes a fraction of a millisecond and limits are met by small files.
constexpr ImageLimits kSmall = {.max_file_bytes = 1 << 16,
                                .max_pixels = 1 << 15,
                                .max_side = 4096,
                                .max_scans = 12,
                                .max_png_chunk_bytes = 1 << 16};
constexpr int64_t kSmallPicture = 1024;

std::span<const std::byte> bytes_of(const Tensor& pixels) {
  const void* data = pixels.raw();
  return {static_cast<const std::byte*>(data), static_cast<size_t>(pixels.numel())};
}

bool same_pixels(const Tensor& a, const Tensor& b) {
  const auto one = bytes_of(a), other = bytes_of(b);
  return a.shape() == b.shape() && std::equal(one.begin(), one.end(), other.begin(), other.end());
}

void check_picture(const Image& image) {
  const int64_t height = image.pixels.size(0), width = image.pixels.size(1);
  require(height * width <= kSmall.max_pixels && std::max(height, width) <= kSmall.max_side,
          "a decoded picture is within the limits");
  require(image.orientation >= 1 && image.orientation <= 8, "orientations are 1 to 8");
  const bool turned = image.orientation_applied && image.orientation >= 5;
  require((turned ? width : height) == image.stored_height &&
              (turned ? height : width) == image.stored_width,
          "a picture has its stored size, turned or not");
  fuzz::sum_of(bytes_of(image.pixels));
  if (height * width > kSmallPicture) return;
  const std::vector<std::byte> png = encode_png({.height = height,
                                                 .width = width,
                                                 .format = PngFormat::kRgb8,
                                                 .pixels = bytes_of(image.pixels)});
  require(same_pixels(decode_image(png, "written").pixels, image.pixels),
          "a picture survives being written");
}

// Returns whether it is a whole, undamaged picture.
bool check_decoding(std::span<const std::byte> bytes) {
  Image strict, partial;
  const bool strict_accepts =
      accepts(ExitCode::kData, [&] { strict = decode_image(bytes, "t", {.limits = kSmall}); });
  const bool partial_accepts = accepts(ExitCode::kData, [&] {
    partial = decode_image(bytes, "t", {.bad_image = BadImagePolicy::kPartial, .limits = kSmall});
  });
  if (partial_accepts) check_picture(partial);
  if (!strict_accepts) return false;
  require(partial_accepts && same_pixels(strict.pixels, partial.pixels),
          "what is whole is decoded alike under both policies");
  if (strict.orientation_applied) {
    const Image stored = decode_image(bytes, "t", {.exif = ExifPolicy::kIgnore, .limits = kSmall});
    require(same_pixels(apply_orientation(stored.pixels, strict.orientation), strict.pixels),
            "an orientation only moves pixels");
  }
  return true;
}

void check(std::span<const std::byte> bytes) {
  const bool whole = check_decoding(bytes);
  std::vector<std::byte> mended(bytes.begin(), bytes.end());
  if (!fuzz::mend_png_checksums(mended)) return;
  require(!whole, "a wrong checksum of a PNG is damage");
  check_decoding(mended);
}

}  // namespace
}  // namespace mrcnn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mrcnn::check(mrcnn::fuzz::as_file(data, size).bytes);
  mrcnn::release_host_cache();  // so that every picture lies in memory of its own
  return 0;
}
