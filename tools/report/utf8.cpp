#include "tools/report/utf8.h"

#include <algorithm>

namespace mrcnn {
namespace {

unsigned char byte_at(std::string_view text, size_t index) {
  return index < text.size() ? static_cast<unsigned char>(text[index]) : 0;
}

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// Length of the well-formed sequence at `begin`, 0 if there is none. The range of the second byte
// is what excludes overlong forms, surrogates and values past U+10FFFF (RFC 3629, section 4).
size_t sequence_length(std::string_view text, size_t begin) {
  const unsigned char first = byte_at(text, begin);
  if (first < 0x80) return 1;
  const size_t length = first < 0xC2   ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length == 0 || begin + length > text.size()) return 0;
  const unsigned char second = byte_at(text, begin + 1);
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (second < low || second > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (!is_continuation(byte_at(text, begin + i))) return 0;
  }
  return length;
}

}  // namespace

std::string to_valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t length = sequence_length(text, i);
    if (length == 0) {
      valid += "\xEF\xBF\xBD";
      ++i;
    } else {
      valid += text.substr(i, length);
      i += length;
    }
  }
  return valid;
}

std::string printable(std::string_view text) {
  std::string valid = to_valid_utf8(text);
  std::replace_if(
      valid.begin(), valid.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return valid;
}

int64_t count_code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return !is_continuation(static_cast<unsigned char>(c)); });
}

std::string_view take_code_points(std::string_view text, int64_t count) {
  size_t end = 0;
  while (end < text.size()) {
    if (!is_continuation(byte_at(text, end)) && count-- == 0) break;
    ++end;
  }
  return text.substr(0, end);
}

}  // namespace mrcnn
