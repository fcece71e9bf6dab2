#include <cstring>

#include "data/coco/json_sections.h"

namespace mrcnn {
namespace {

using Bytes = uint8_t __attribute__((vector_size(16)));

// Quotes, brackets and braces. '[' and '{', and ']' and '}', differ in this bit only.
constexpr uint8_t kBraceBit = 0x20;

bool is_mark(char c) {
  const auto folded = static_cast<uint8_t>(static_cast<uint8_t>(c) | kBraceBit);
  return c == '"' || folded == '{' || folded == '}';
}

// The position of the first mark from `at` on, or `end`. Most of the text is numbers, so sixteen
// bytes at a time pay.
size_t find_mark(const char* text, size_t at, size_t end) {
  for (; end - at >= sizeof(Bytes); at += sizeof(Bytes)) {
    Bytes bytes;
    std::memcpy(&bytes, text + at, sizeof(bytes));
    const Bytes folded = bytes | kBraceBit;
    const auto found = (bytes == '"') | (folded == '{') | (folded == '}');
    uint64_t halves[2];
    std::memcpy(halves, &found, sizeof(halves));
    if ((halves[0] | halves[1]) != 0) break;
  }
  while (at < end && !is_mark(text[at])) ++at;
  return at;
}

}  // namespace

size_t skip_json_string(const char* text, size_t at, size_t end) {
  for (++at; at < end; ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return end;
}

JsonNesting::Stop JsonNesting::walk(const char* text, size_t& at, size_t end) {
  while (at < end) {
    if (in_string_) {
      const char c = text[at++];
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      continue;
    }
    at = find_mark(text, at, end);
    if (at == end) break;
    const char c = text[at];
    if (c == '"') {
      in_string_ = true;
    } else if (c == '[' || c == '{') {
      if (++depth_ > kMaxJsonDepth) return Stop::kTooDeep;
    } else if (depth_ == 0) {
      return c == ']' ? Stop::kArrayEnd : Stop::kUnopened;
    } else if (--depth_ == 0) {
      ++at;
      return Stop::kValueEnd;
    }
    ++at;
  }
  return Stop::kEndOfText;
}

}  // namespace mrcnn
