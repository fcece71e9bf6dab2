#include <fmt/format.h>
#include <png.h>

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include "core/error.h"
#include "data/image/codec.h"
#include "data/image/exif.h"
#include "data/image/png_chunks.h"

namespace mrcnn {
namespace {

// libpng reports an error by longjmp, which must not cross a frame that has something to destroy.
// So everything with a destructor lives in this object or above it, and the libpng calls stand in
// the static steps below, which hold plain values only.
class PngDecoder {
 public:
  enum class Pixels { kRgb, kIndices };

  PngDecoder(std::span<const std::byte> bytes, const ImageLimits& limits, Pixels pixels)
      : bytes_(bytes), pixels_(pixels) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    max_side_ = static_cast<png_uint_32>(limits.max_side);
    max_chunk_bytes_ = static_cast<png_alloc_size_t>(limits.max_png_chunk_bytes);
  }
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  bool created() const { return info_ != nullptr; }
  bool read_header() { return guarded(header_step); }
  bool read_rows(uint8_t* target) {
    target_ = target;
    return guarded(rows_step);
  }
  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t channels() const { return pixels_ == Pixels::kRgb ? 3 : 1; }
  const char* error() const { return error_.data(); }
  std::vector<std::string>& warnings() { return warnings_; }

 private:
  bool guarded(void (*step)(PngDecoder&)) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    step(*this);
    return true;
  }

  static void header_step(PngDecoder& self) {
    png_structp png = self.png_;
    png_set_read_fn(png, &self, on_read);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_user_limits(png, self.max_side_, self.max_side_);
    png_set_chunk_malloc_max(png, self.max_chunk_bytes_);
    // No ancillary chunk changes the pixels we want, so profiles, texts and the rest are skipped
    // (their checksums are still verified).
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png, self.info_);
    if (self.pixels_ == Pixels::kRgb) {
      png_set_palette_to_rgb(png);
      png_set_expand_gray_1_2_4_to_8(png);
      png_set_strip_16(png);
      png_set_gray_to_rgb(png);
      png_set_strip_alpha(png);
    } else {
      const int colour_type = png_get_color_type(png, self.info_);
      if (colour_type != PNG_COLOR_TYPE_PALETTE && colour_type != PNG_COLOR_TYPE_GRAY) {
        png_error(png, "its pixels are colours, not indices of a palette or levels of gray");
      }
      if (png_get_bit_depth(png, self.info_) > 8) png_error(png, "its pixels have 16 bits");
      png_set_packing(png);  // one byte a pixel, values as stored
    }
    self.num_passes_ = png_set_interlace_handling(png);
    png_read_update_info(png, self.info_);
    self.height_ = static_cast<int64_t>(png_get_image_height(png, self.info_));
    self.width_ = static_cast<int64_t>(png_get_image_width(png, self.info_));
    const size_t row_bytes = static_cast<size_t>(self.channels() * self.width_);
    if (png_get_rowbytes(png, self.info_) != row_bytes) {
      png_error(png, "rows do not expand to eight bits a channel");
    }
  }

  static void rows_step(PngDecoder& self) {
    for (int pass = 0; pass < self.num_passes_; ++pass) {
      for (int64_t y = 0; y < self.height_; ++y) {
        png_read_row(self.png_, self.target_ + self.channels() * y * self.width_, nullptr);
      }
    }
    png_read_end(self.png_, nullptr);
  }

  static void on_read(png_structp png, png_bytep target, size_t count) {
    auto& self = *static_cast<PngDecoder*>(png_get_io_ptr(png));
    if (count > self.bytes_.size() - self.position_) png_error(png, "the file is truncated");
    std::memcpy(target, self.bytes_.data() + self.position_, count);
    self.position_ += count;
  }
  static void on_error(png_structp png, png_const_charp message) {
    auto& self = *static_cast<PngDecoder*>(png_get_error_ptr(png));
    std::snprintf(self.error_.data(), self.error_.size(), "%s", message);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp png, png_const_charp message) {
    auto& self = *static_cast<PngDecoder*>(png_get_error_ptr(png));
    self.keep_warning(message);
  }
  // No exception may pass through libpng; a warning that finds no memory is not worth one.
  void keep_warning(png_const_charp message) noexcept {
    constexpr size_t kMaxWarnings = 8;  // a hostile file can cause millions
    if (warnings_.size() >= kMaxWarnings) return;
    try {
      warnings_.emplace_back(message);
    } catch (const std::bad_alloc&) {
    }
  }

  std::span<const std::byte> bytes_;
  Pixels pixels_;
  size_t position_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  png_uint_32 max_side_ = 0;
  png_alloc_size_t max_chunk_bytes_ = 0;
  int64_t height_ = 0;
  int64_t width_ = 0;
  int num_passes_ = 1;
  uint8_t* target_ = nullptr;
  std::array<char, 200> error_{};
  std::vector<std::string> warnings_;
};

[[noreturn]] void fail(const std::string& name, const std::string& problem) {
  throw FileError(ExitCode::kData, name, "", problem);
}

// Deflate makes at most 1032 bytes of one, so a large picture with few data is cut off or a bomb.
void check_plausible(const PngChunks& chunks, const std::string& name) {
  constexpr int64_t kMaxRatio = 1032;
  if (chunks.row_bits / 8 * chunks.height / kMaxRatio > chunks.data_bytes) {
    fail(name, fmt::format("{} bytes of data cannot hold a picture of {}x{} pixels; the file is "
                           "truncated",
                           chunks.data_bytes, chunks.width, chunks.height));
  }
}

PngChunks check_chunks(std::span<const std::byte> bytes, const std::string& name,
                       const ImageLimits& limits) {
  const PngChunks chunks = walk_png_chunks(bytes);
  if (chunks.height == 0 && chunks.width == 0) fail(name, "damaged PNG: no image header");
  check_image_size(chunks.height, chunks.width, name, limits);
  check_plausible(chunks, name);
  return chunks;
}

void read_header(PngDecoder& decoder, const PngChunks& chunks, const std::string& name,
                 const char* complaint) {
  if (!decoder.created()) throw MemoryError("[decode_png] cannot create a decoder: " + name);
  if (!decoder.read_header()) fail(name, fmt::format("{}: {}", complaint, decoder.error()));
  if (decoder.height() != chunks.height || decoder.width() != chunks.width) {
    fail(name, "damaged PNG: two different image headers");
  }
}

}  // namespace

StoredImage decode_png(std::span<const std::byte> bytes, const std::string& name,
                       const DecodeOptions& options) {
  const PngChunks chunks = check_chunks(bytes, name, options.limits);
  PngDecoder decoder(bytes, options.limits, PngDecoder::Pixels::kRgb);
  read_header(decoder, chunks, name, "damaged PNG");
  StoredImage result;
  result.pixels = Tensor::zeros(Shape{decoder.height(), decoder.width(), 3}, DType::kU8);
  const bool complete = decoder.read_rows(result.pixels.data<uint8_t>());
  result.warnings = std::move(decoder.warnings());
  if (!complete) {
    const std::string problem = fmt::format("damaged PNG: {}", decoder.error());
    if (options.bad_image == BadImagePolicy::kFail) fail(name, problem);
    result.warnings.push_back(problem);
  }
  if (!chunks.exif.empty()) {
    result.orientation = exif_orientation(chunks.exif, result.warnings);
  }
  return result;
}

Tensor decode_png_numbers(std::span<const std::byte> bytes, const std::string& name,
                          const ImageLimits& limits) {
  const PngChunks chunks = check_chunks(bytes, name, limits);
  PngDecoder decoder(bytes, limits, PngDecoder::Pixels::kIndices);
  read_header(decoder, chunks, name, "not a PNG of indices");
  Tensor indices = Tensor::zeros(Shape{decoder.height(), decoder.width()}, DType::kU8);
  if (!decoder.read_rows(indices.data<uint8_t>())) {
    fail(name, fmt::format("damaged PNG: {}", decoder.error()));
  }
  return indices;
}

}  // namespace mrcnn
