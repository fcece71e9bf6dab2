#include "data/coco/element_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "data/masks/rle.h"

namespace mrcnn {

int64_t id_from_text(std::string_view text, const std::string& where) {
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw Refusal{where, fmt::format("\"{}\" is not a 64-bit integer: number the ids",
                                     text.substr(0, std::min(text.size(), size_t{80})))};
  }
  return id;
}

int64_t id_from_number(double number, const std::string& where) {
  constexpr double kExact = 9007199254740992;  // 2^53: doubles beyond it skip integers
  if (!(std::abs(number) <= kExact) || std::trunc(number) != number) {
    throw Refusal{where, fmt::format("{} is not a 64-bit integer", number)};
  }
  return static_cast<int64_t>(number);
}

void check_image_size(int64_t height, int64_t width) {
  const auto refuse = [&](const std::string& problem) {
    throw Refusal{"", fmt::format("an image of {}x{} pixels {}", width, height, problem)};
  };
  if (height < 1 || width < 1 || height > kMaxRlePixels / width) {
    refuse(fmt::format("is not between 1x1 and {} pixels", kMaxRlePixels));
  }
  // A polygon costs time and memory for every column it crosses.
  if (std::max(height, width) > kLimits.annotation.side) {
    refuse(fmt::format("has a side of more than {}", kLimits.annotation.side));
  }
}

void check_file_name(std::string_view name) {
  constexpr auto kMaxBytes = static_cast<size_t>(kLimits.annotation.file_name_bytes);
  const auto refuse = [](const std::string& problem) { throw Refusal{"file_name", problem}; };
  if (name.size() > kMaxBytes) refuse(fmt::format("has more than {} bytes", kMaxBytes));
  if (name.empty() || name.back() == '/') refuse("names no file");
  if (name.front() == '/') refuse("is an absolute path: make it relative to the image folder");
  if (name.find('\0') != std::string_view::npos) refuse("holds a zero byte");
  for (size_t begin = 0; begin < name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") refuse("leads out of the image folder");
    begin = end + 1;
  }
}

}  // namespace mrcnn
