#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "core/error.h"
#include "core/io/file.h"
#include "data/image/codec.h"
#include "data/image/exif.h"
#include "data/image/image.h"

namespace mrcnn {
namespace {

using namespace std::string_view_literals;

bool holds_at(std::span<const std::byte> bytes, size_t offset, std::string_view text) {
  return bytes.size() >= offset + text.size() &&
         std::memcmp(bytes.data() + offset, text.data(), text.size()) == 0;
}

bool is_jpeg(std::span<const std::byte> bytes) { return holds_at(bytes, 0, "\xFF\xD8\xFF"sv); }
bool is_png(std::span<const std::byte> bytes) { return holds_at(bytes, 0, "\x89PNG\r\n\x1A\n"sv); }

// What a file that is neither JPEG nor PNG seems to be.
struct Signature {
  size_t offset;
  std::string_view text;
  std::string_view what;
};
constexpr std::array kKnownSignatures = {
    Signature{0, "GIF8"sv, "a GIF image"},
    Signature{8, "WEBP"sv, "a WebP image"},
    Signature{0, "BM"sv, "a BMP image"},
    Signature{0, "II*\0"sv, "a TIFF image"},
    Signature{0, "MM\0*"sv, "a TIFF image"},
    Signature{4, "ftypavif"sv, "an AVIF image"},
    Signature{4, "ftyphe"sv, "a HEIC image"},
    Signature{4, "ftypmif1"sv, "a HEIC image"},
    Signature{4, "ftyp"sv, "a video"},
    Signature{0, "\xFF\x0A"sv, "a JPEG XL image"},
    Signature{4, "JXL "sv, "a JPEG XL image"},
    Signature{4, "jP  "sv, "a JPEG 2000 image"},
    Signature{0, "8BPS"sv, "a Photoshop document"},
    Signature{0, "%PDF"sv, "a PDF document"},
    Signature{0, "PK\3\4"sv, "a ZIP archive"},
    Signature{0, "\x1F\x8B"sv, "a gzip archive"},
    Signature{0, "version https://git-lfs"sv, "a Git LFS pointer, not the file it stands for"},
    Signature{0, "\xFF\xD8\xFF"sv, "a JPEG image"},
    Signature{0, "<"sv, "an HTML or XML page, perhaps a failed download"},
};

std::string guess_content(std::span<const std::byte> bytes) {
  for (const Signature& known : kKnownSignatures) {
    if (holds_at(bytes, known.offset, known.text)) return std::string(known.what);
  }
  std::string first;
  for (const std::byte byte : bytes.first(std::min<size_t>(bytes.size(), 8))) {
    first += fmt::format(" {:02x}", std::to_integer<int>(byte));
  }
  return "of an unknown kind, its first bytes are" + first;
}

std::string describe_content(std::span<const std::byte> bytes, std::string_view wanted) {
  if (bytes.empty()) return "the file is empty";
  return fmt::format("not a {} image; the file is {}", wanted, guess_content(bytes));
}

StoredImage decode_stored(std::span<const std::byte> bytes, const std::string& name,
                          const DecodeOptions& options) {
  if (is_jpeg(bytes)) return decode_jpeg(bytes, name, options);
  if (is_png(bytes)) return decode_png(bytes, name, options);
  throw FileError(ExitCode::kData, name, "", describe_content(bytes, "JPEG or PNG"));
}

void check_file_size(uint64_t num_bytes, const std::string& name, const ImageLimits& limits) {
  if (num_bytes > static_cast<uint64_t>(limits.max_file_bytes)) {
    throw FileError(ExitCode::kData, name, "",
                    fmt::format("{} bytes are more than the limit of {} for an image file",
                                num_bytes, limits.max_file_bytes));
  }
}

}  // namespace

FileBytes read_image_file(const std::string& path, const ImageLimits& limits) {
  // Only to refuse a huge file before it is read; what cannot be asked is left to read_file.
  std::error_code ignored;
  const uintmax_t num_bytes = std::filesystem::file_size(path, ignored);
  if (!ignored) check_file_size(num_bytes, path, limits);
  return read_file(path, ExitCode::kData);
}

void check_image_size(int64_t height, int64_t width, const std::string& name,
                      const ImageLimits& limits) {
  const auto fail = [&](const std::string& problem) {
    throw FileError(ExitCode::kData, name, "",
                    fmt::format("the picture of {}x{} pixels {}", width, height, problem));
  };
  if (height < 1 || width < 1) fail("is empty");
  if (std::max(height, width) > limits.max_side) {
    fail(fmt::format("has a side past the limit of {}", limits.max_side));
  }
  if (height * width > limits.max_pixels) {
    fail(fmt::format("has more than the limit of {} pixels", limits.max_pixels));
  }
}

Image decode_image(std::span<const std::byte> bytes, const std::string& name,
                   const DecodeOptions& options) {
  check_file_size(bytes.size(), name, options.limits);
  StoredImage stored = decode_stored(bytes, name, options);
  Image image;
  image.stored_height = stored.pixels.size(0);
  image.stored_width = stored.pixels.size(1);
  image.orientation = stored.orientation;
  image.orientation_applied = options.exif == ExifPolicy::kApply && stored.orientation != 1;
  image.pixels = image.orientation_applied ? apply_orientation(stored.pixels, stored.orientation)
                                           : stored.pixels;
  image.warnings = std::move(stored.warnings);
  return image;
}

Image load_image(const std::string& path, const DecodeOptions& options) {
  const FileBytes file = read_image_file(path, options.limits);
  return decode_image(file.bytes, path, options);
}

Tensor decode_png_indices(std::span<const std::byte> bytes, const std::string& name,
                          const ImageLimits& limits) {
  check_file_size(bytes.size(), name, limits);
  if (!is_png(bytes)) throw FileError(ExitCode::kData, name, "", describe_content(bytes, "PNG"));
  return decode_png_numbers(bytes, name, limits);
}

Tensor load_png_indices(const std::string& path, const ImageLimits& limits) {
  const FileBytes file = read_image_file(path, limits);
  return decode_png_indices(file.bytes, path, limits);
}

}  // namespace mrcnn
