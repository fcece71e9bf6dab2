#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <bit>
#include <csetjmp>
#include <new>
#include <utility>

#include "core/error.h"
#include "data/image/write.h"

namespace mrcnn {
namespace {

int64_t pixel_bytes(PngFormat format) {
  switch (format) {
    case PngFormat::kGray16:
      return 2;
    case PngFormat::kRgb8:
      return 3;
    default:
      return 1;
  }
}

int colour_type(PngFormat format) {
  switch (format) {
    case PngFormat::kRgb8:
      return PNG_COLOR_TYPE_RGB;
    case PngFormat::kPalette8:
      return PNG_COLOR_TYPE_PALETTE;
    default:
      return PNG_COLOR_TYPE_GRAY;
  }
}

void check_picture(const PngPicture& picture) {
  const auto fail = [&](const std::string& problem) {
    throw ShapeError(
        fmt::format("[encode_png] {}: {}x{} pixels", problem, picture.width, picture.height));
  };
  constexpr int64_t kMaxSide = 1'000'000;  // libpng's own default limit
  if (picture.height < 1 || picture.width < 1) fail("the picture is empty");
  if (std::max(picture.height, picture.width) > kMaxSide) fail("the picture is too large");
  const int64_t wanted = picture.height * picture.width * pixel_bytes(picture.format);
  if (static_cast<int64_t>(picture.pixels.size()) != wanted) {
    fail(fmt::format("{} bytes given, {} needed", picture.pixels.size(), wanted));
  }
  const bool has_palette = !picture.palette.empty() && picture.palette.size() <= 256;
  if (picture.format == PngFormat::kPalette8 ? !has_palette : !picture.palette.empty()) {
    fail(fmt::format("a palette of {} colours does not fit the format", picture.palette.size()));
  }
}

// As in decoding: libpng's longjmp stays inside `write_step`, which holds plain values only. Errors
// can only come from memory, because the picture was checked before.
class PngEncoder {
 public:
  explicit PngEncoder(const PngPicture& picture) : picture_(picture) {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  ~PngEncoder() { png_destroy_write_struct(&png_, &info_); }
  PngEncoder(const PngEncoder&) = delete;
  PngEncoder& operator=(const PngEncoder&) = delete;

  bool write() {
    if (info_ == nullptr) return false;
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    write_step(*this);
    return true;
  }
  std::vector<std::byte>& result() { return result_; }

 private:
  static void write_step(PngEncoder& self) {
    const PngPicture& picture = self.picture_;
    png_structp png = self.png_;
    png_set_write_fn(png, &self, on_write, on_flush);
    // On overlays of 0.3 and 2.8 megapixels level 3 took 0.4 of the time of the default 6, for 0
    // and 11 % more bytes.
    png_set_compression_level(png, 3);
    png_set_IHDR(png, self.info_, static_cast<png_uint_32>(picture.width),
                 static_cast<png_uint_32>(picture.height),
                 picture.format == PngFormat::kGray16 ? 16 : 8, colour_type(picture.format),
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (picture.format == PngFormat::kPalette8) {
      png_color colours[256];
      for (size_t i = 0; i < picture.palette.size(); ++i) {
        const RgbColour& colour = picture.palette[i];
        colours[i] = {colour[0], colour[1], colour[2]};
      }
      png_set_PLTE(png, self.info_, colours, static_cast<int>(picture.palette.size()));
    }
    png_write_info(png, self.info_);
    if (picture.format == PngFormat::kGray16 && std::endian::native == std::endian::little) {
      png_set_swap(png);
    }
    const auto row_bytes = static_cast<size_t>(picture.width * pixel_bytes(picture.format));
    for (int64_t y = 0; y < picture.height; ++y) {
      const void* row = picture.pixels.data() + static_cast<size_t>(y) * row_bytes;
      png_write_row(png, static_cast<png_const_bytep>(row));
    }
    png_write_end(png, nullptr);
  }

  static void on_write(png_structp png, png_bytep bytes, size_t count) {
    auto& self = *static_cast<PngEncoder*>(png_get_io_ptr(png));
    if (!self.append(bytes, count)) png_error(png, "no memory");
  }
  // No exception may pass through libpng.
  bool append(png_const_bytep bytes, size_t count) noexcept {
    const auto* first = static_cast<const std::byte*>(static_cast<const void*>(bytes));
    try {
      result_.insert(result_.end(), first, first + count);
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }
  static void on_flush(png_structp) {}
  static void on_error(png_structp png, png_const_charp) { png_longjmp(png, 1); }
  static void on_warning(png_structp, png_const_charp) {}

  const PngPicture& picture_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::vector<std::byte> result_;
};

}  // namespace

std::vector<std::byte> encode_png(const PngPicture& picture) {
  check_picture(picture);
  PngEncoder encoder(picture);
  if (!encoder.write()) {
    throw MemoryError(
        fmt::format("[encode_png] no memory for {}x{} pixels", picture.width, picture.height));
  }
  return std::move(encoder.result());
}

}  // namespace mrcnn
