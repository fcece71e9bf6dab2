#include "data/coco/geometry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "core/error.h"
#include "data/masks/polygon.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

enum Form : uint32_t { kHundredths16 = 0, kHundredths32 = 1, kDoubles = 2 };

constexpr double kPerPixel = 100;
constexpr size_t kSizeWords = 2;  // height and width in front of run lengths

[[noreturn]] void fail(const char* problem) {
  throw Error(ExitCode::kData, fmt::format("[geometry] {}", problem));
}

size_t words_of(size_t count, uint32_t form) {
  if (form == kHundredths16) return (count + 1) / 2;
  return form == kHundredths32 ? count : 2 * count;
}

std::vector<double> unpack(std::span<const uint32_t> words, size_t count, uint32_t form) {
  std::vector<double> coordinates(count);
  if (form == kDoubles) {
    std::memcpy(coordinates.data(), words.data(), count * sizeof(double));
    return coordinates;
  }
  for (size_t i = 0; i < count; ++i) {
    const int32_t hundredths = form == kHundredths32
                                   ? static_cast<int32_t>(words[i])
                                   : static_cast<int32_t>(words[i / 2] >> (16 * (i % 2)) & 0xFFFF);
    coordinates[i] = hundredths / kPerPixel;
  }
  return coordinates;
}

void check_size(std::span<const uint32_t> words, int64_t height, int64_t width) {
  if (words.size() < kSizeWords) fail("run lengths without a size");
  if (words[0] != height || words[1] != width) {
    throw Error(ExitCode::kData, fmt::format("[geometry] run lengths of {}x{} pixels in an image "
                                             "of {}x{}",
                                             words[1], words[0], width, height));
  }
}

}  // namespace

void PolygonPacker::clear() {
  size_ = 0;
  hundredths_.clear();
  doubles_.clear();
}

void PolygonPacker::add_hundredths(int32_t hundredths) {
  if (doubles_.empty()) {
    hundredths_.push_back(hundredths);
  } else {
    doubles_.push_back(hundredths / kPerPixel);
  }
  ++size_;
}

void PolygonPacker::add(double coordinate) {
  const double scaled = coordinate * kPerPixel;
  if (std::abs(scaled) < std::numeric_limits<int32_t>::max()) {
    const auto hundredths = static_cast<int32_t>(std::lround(scaled));
    const double back = hundredths / kPerPixel;
    if (back == coordinate && std::signbit(back) == std::signbit(coordinate)) {
      add_hundredths(hundredths);
      return;
    }
  }
  for (const int32_t hundredths : hundredths_) doubles_.push_back(hundredths / kPerPixel);
  hundredths_.clear();
  doubles_.push_back(coordinate);
  ++size_;
}

void PolygonPacker::append_to(std::vector<uint32_t>& words) const {
  const auto fits_16 = [](int32_t k) { return k >= 0 && k <= 0xFFFF; };
  uint32_t form = kDoubles;
  if (doubles_.empty()) {
    const bool small = std::all_of(hundredths_.begin(), hundredths_.end(), fits_16);
    form = small ? kHundredths16 : kHundredths32;
  }
  words.push_back(static_cast<uint32_t>(4 * size_) + form);
  const size_t begin = words.size();
  words.resize(begin + words_of(size_, form), 0);
  uint32_t* target = words.data() + begin;
  if (form == kDoubles) {
    std::memcpy(target, doubles_.data(), doubles_.size() * sizeof(double));
    return;
  }
  for (size_t i = 0; i < hundredths_.size(); ++i) {
    const auto bits = static_cast<uint32_t>(hundredths_[i]);
    if (form == kHundredths32) {
      target[i] = bits;
    } else {
      target[i / 2] |= bits << (16 * (i % 2));
    }
  }
}

void append_counts(std::span<const int64_t> counts, int64_t height, int64_t width,
                   std::vector<uint32_t>& words) {
  words.push_back(static_cast<uint32_t>(height));
  words.push_back(static_cast<uint32_t>(width));
  for (const int64_t run : counts) words.push_back(static_cast<uint32_t>(run));
}

void append_string(std::string_view counts, int64_t height, int64_t width,
                   std::vector<uint32_t>& words) {
  words.push_back(static_cast<uint32_t>(height));
  words.push_back(static_cast<uint32_t>(width));
  words.push_back(static_cast<uint32_t>(counts.size()));
  const size_t begin = words.size();
  words.resize(begin + (counts.size() + 3) / 4, 0);
  if (!counts.empty()) std::memcpy(words.data() + begin, counts.data(), counts.size());
}

std::vector<std::vector<double>> unpack_polygons(std::span<const uint32_t> words) {
  std::vector<std::vector<double>> polygons;
  while (!words.empty()) {
    const size_t count = words.front() / 4;
    const uint32_t form = words.front() % 4;
    const size_t size = words_of(count, form);
    if (form > kDoubles || size > words.size() - 1) fail("a polygon that ends outside the table");
    polygons.push_back(unpack(words.subspan(1, size), count, form));
    words = words.subspan(1 + size);
  }
  return polygons;
}

Rle draw_mask(GeometryKind kind, std::span<const uint32_t> words, int64_t height, int64_t width) {
  switch (kind) {
    case GeometryKind::kNone:
      return {height, width, {static_cast<uint32_t>(height * width)}};
    case GeometryKind::kPolygons:
      return rle_from_polygons(unpack_polygons(words), height, width);
    case GeometryKind::kCounts: {
      check_size(words, height, width);
      const std::span<const uint32_t> runs = words.subspan(kSizeWords);
      return rle_from_counts(std::vector<int64_t>(runs.begin(), runs.end()), height, width);
    }
    case GeometryKind::kString: {
      check_size(words, height, width);
      const std::span<const uint32_t> rest = words.subspan(kSizeWords);
      if (rest.empty() || rest[0] > 4 * (rest.size() - 1)) fail("a string outside the table");
      std::string text(rest[0], '\0');
      std::memcpy(text.data(), rest.data() + 1, text.size());
      return rle_from_string(text, height, width);
    }
  }
  fail("unknown kind");
}

}  // namespace mrcnn
