#include <fmt/format.h>
#include <turbojpeg.h>

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "data/image/codec.h"
#include "data/image/exif.h"
#include "data/image/jpeg_markers.h"

namespace mrcnn {
namespace {

struct CloseTurboJpeg {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using TurboJpeg = std::unique_ptr<void, CloseTurboJpeg>;

const unsigned char* as_jpeg(std::span<const std::byte> bytes) {
  return static_cast<const unsigned char*>(static_cast<const void*>(bytes.data()));
}

[[noreturn]] void fail(const std::string& name, const std::string& problem) {
  throw FileError(ExitCode::kData, name, "", problem);
}

// The coding processes that no common decoder reads are named; the rest is left to the library.
void check_process(const JpegMarkers& markers, const std::string& name) {
  std::string process;
  switch (markers.frame_marker) {
    case 0xC3:
    case 0xC7:
    case 0xCB:
    case 0xCF:
      process = "lossless";
      break;
    case 0xC5:
    case 0xC6:
    case 0xCD:
    case 0xCE:
      process = "hierarchical";
      break;
    default:
      if (markers.frame_marker == 0 || markers.precision == 8) return;
      process = fmt::format("{}-bit", markers.precision);
  }
  fail(name, process + " JPEG is not supported; convert it to baseline JPEG or PNG");
}

// Every 8x8 block of a Huffman-coded picture costs at least one bit, so a large picture in a tiny
// file is either cut off or made to waste memory.
void check_plausible(const JpegMarkers& markers, size_t num_bytes, const std::string& name) {
  const bool huffman = markers.frame_marker != 0 && markers.frame_marker <= 0xC3;
  const int64_t num_blocks = (markers.height / 32) * (markers.width / 32);  // 4x4 sampling at most
  if (huffman && static_cast<int64_t>(num_bytes) < num_blocks / 8) {
    fail(name, fmt::format("{} bytes cannot hold a picture of {}x{} pixels; the file is truncated",
                           num_bytes, markers.width, markers.height));
  }
}

// Adobe's inverted CMYK to RGB with Pillow's rounding: a product of two bytes divided by 255 to the
// nearest. Like Pillow, takes every CMYK JPEG as inverted, marked by Adobe or not.
// Source: Pillow libImaging/Convert.c cmyk2rgb and ImagingUtils.h MULDIV255.
void convert_cmyk(std::span<const uint8_t> cmyk, uint8_t* rgb) {
  for (size_t i = 0; i < cmyk.size(); i += 4) {
    const int black = cmyk[i + 3];
    for (size_t c = 0; c < 3; ++c) {
      const int product = (255 - cmyk[i + c]) * black + 128;
      const int ink = ((product >> 8) + product) >> 8;
      *rgb++ = static_cast<uint8_t>(std::clamp(black - ink, 0, 255));
    }
  }
}

}  // namespace

StoredImage decode_jpeg(std::span<const std::byte> bytes, const std::string& name,
                        const DecodeOptions& options) {
  const JpegMarkers markers = walk_jpeg_markers(bytes);
  check_process(markers, name);
  if (markers.num_scans > options.limits.max_scans) {
    fail(name, fmt::format("{} scans are more than the limit of {}", markers.num_scans,
                           options.limits.max_scans));
  }
  const TurboJpeg turbo(tjInitDecompress());
  if (!turbo) throw MemoryError("[decode_jpeg] cannot create a decoder: " + name);

  // Older libraries report an unusual chroma sampling as an error although they decode it, and a
  // file that ends inside its header as success. What counts is whether a size and a colour space
  // were found.
  int width = 0;
  int height = 0;
  int sampling = -1;
  int colour = -1;
  const int header = tjDecompressHeader3(turbo.get(), as_jpeg(bytes), bytes.size(), &width, &height,
                                         &sampling, &colour);
  if (width < 1 || height < 1 || colour < 0) {
    const char* why = header == 0 ? "the file is truncated" : tjGetErrorStr2(turbo.get());
    fail(name, fmt::format("damaged JPEG header: {}", why));
  }
  check_image_size(height, width, name, options.limits);
  check_plausible(markers, bytes.size(), name);

  StoredImage result;
  result.pixels = Tensor::empty(Shape{height, width, 3}, DType::kU8);
  const bool is_cmyk = colour == TJCS_CMYK || colour == TJCS_YCCK;
  std::vector<uint8_t> cmyk(is_cmyk ? static_cast<size_t>(result.pixels.numel() / 3 * 4) : 0);
  unsigned char* target = is_cmyk ? cmyk.data() : result.pixels.data<uint8_t>();
  const bool partial = options.bad_image == BadImagePolicy::kPartial;
  // The library's own scan limit guards against a walk of ours that ended early.
  const int flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS | (partial ? 0 : TJFLAG_STOPONWARNING);
  if (tjDecompress2(turbo.get(), as_jpeg(bytes), bytes.size(), target, width, 0, height,
                    is_cmyk ? TJPF_CMYK : TJPF_RGB, flags) != 0) {
    const std::string problem = fmt::format("damaged JPEG: {}", tjGetErrorStr2(turbo.get()));
    if (!partial || tjGetErrorCode(turbo.get()) != TJERR_WARNING) fail(name, problem);
    result.warnings.push_back(problem);
  }
  if (is_cmyk) convert_cmyk(cmyk, result.pixels.data<uint8_t>());
  if (!markers.exif.empty()) {
    result.orientation = exif_orientation(markers.exif, result.warnings);
  }
  return result;
}

}  // namespace mrcnn
