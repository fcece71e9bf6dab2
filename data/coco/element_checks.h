// What the elements of an annotation file may hold, whatever parser reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mrcnn {

// Thrown by parsers for an element that is not what its section needs; caught where elements are
// counted, so that it becomes an ElementProblem.
struct Refusal {
  std::string where;  // below the element: "segmentation[0][3]"; "" for the element itself
  std::string problem;
};

// An id that is a string or a floating-point number in the file.
int64_t id_from_text(std::string_view text, const std::string& where);
int64_t id_from_number(double number, const std::string& where);

// Pixels of an image; throws Refusal unless there is at least one and not too many.
void check_image_size(int64_t height, int64_t width);

// A path that stays below the folder it is appended to, and names a file there.
void check_file_name(std::string_view name);

// A JSON number with at most seven digits before the point and at most two behind it, times 100.
// Nothing for any other spelling, right or wrong, and for minus zero. `token` may end with spaces.
inline std::optional<int32_t> read_hundredths(std::string_view token) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const char* at = token.data();
  const char* const end = at + token.size();
  const bool negative = at < end && *at == '-';
  if (negative) ++at;
  const char* const digits = at;
  int32_t value = 0;
  while (at < end && is_digit(*at) && at - digits < 7) value = 10 * value + (*at++ - '0');
  if (at == digits || (*digits == '0' && at - digits > 1)) return std::nullopt;
  value *= 100;
  if (at < end && *at == '.') {
    ++at;
    if (at == end || !is_digit(*at)) return std::nullopt;
    value += 10 * (*at++ - '0');
    if (at < end && is_digit(*at)) value += *at++ - '0';
  }
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
  if (at != end || (negative && value == 0)) return std::nullopt;
  return negative ? -value : value;
}

}  // namespace mrcnn
