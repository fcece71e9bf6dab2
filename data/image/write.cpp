#include "data/image/write.h"

#include <fmt/format.h>
#include <turbojpeg.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "core/error.h"
#include "core/io/file.h"

namespace mrcnn {
namespace {

struct CloseTurboJpeg {
  void operator()(void* handle) const { tjDestroy(handle); }
};

void check_rgb(const char* op, const Tensor& image) {
  if (image.rank() != 3 || image.size(2) != 3 || image.dtype() != DType::kU8 ||
      image.numel() == 0) {
    throw ShapeError(fmt::format("[{}] wants [H,W,3] u8, not {}", op, image.describe()));
  }
}

void write_bytes(const std::string& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace

std::vector<std::byte> encode_jpeg(const Tensor& image, int quality) {
  check_rgb("encode_jpeg", image);
  const auto height = static_cast<int>(image.size(0));
  const auto width = static_cast<int>(image.size(1));
  constexpr int kMaxSide = 65'500;  // JPEG_MAX_DIMENSION
  if (std::max(image.size(0), image.size(1)) > kMaxSide || quality < 1 || quality > 100) {
    throw ShapeError(fmt::format("[encode_jpeg] size past {} or quality {} not 1..100: {}",
                                 kMaxSide, quality, image.describe()));
  }
  const std::unique_ptr<void, CloseTurboJpeg> turbo(tjInitCompress());
  if (!turbo) throw MemoryError("[encode_jpeg] cannot create an encoder");
  std::vector<std::byte> result(tjBufSize(width, height, TJSAMP_444));
  auto* target = static_cast<unsigned char*>(static_cast<void*>(result.data()));
  unsigned long num_bytes = result.size();
  if (tjCompress2(turbo.get(), image.data<uint8_t>(), width, 0, height, TJPF_RGB, &target,
                  &num_bytes, TJSAMP_444, quality, TJFLAG_ACCURATEDCT | TJFLAG_NOREALLOC) != 0) {
    throw MemoryError(
        fmt::format("[encode_jpeg] {}: {}", tjGetErrorStr2(turbo.get()), image.describe()));
  }
  result.resize(num_bytes);
  return result;
}

void write_png(const std::string& path, const PngPicture& picture) {
  write_bytes(path, encode_png(picture));
}

void write_jpeg(const std::string& path, const Tensor& image, int quality) {
  write_bytes(path, encode_jpeg(image, quality));
}

void write_image(const std::string& path, const Tensor& image) {
  check_rgb("write_image", image);
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (extension == ".png") {
    write_png(path, {.height = image.size(0),
                     .width = image.size(1),
                     .pixels = {image.raw(), static_cast<size_t>(image.bytes())}});
  } else if (extension == ".jpg" || extension == ".jpeg") {
    write_jpeg(path, image);
  } else {
    throw UsageError(path + ": pictures are written as .png, .jpg or .jpeg");
  }
}

}  // namespace mrcnn
