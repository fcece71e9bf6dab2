#include "tests/fuzz/png_checksums.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mrcnn::fuzz {
namespace {

constexpr std::string_view kSignature = "\x89PNG\r\n\x1A\n";
constexpr size_t kWord = 4;

uint32_t read_word(const std::byte* at) {
  uint32_t value = 0;
  for (size_t i = 0; i < kWord; ++i) value = value << 8 | std::to_integer<uint32_t>(at[i]);
  return value;
}

void write_word(std::byte* at, uint32_t value) {
  for (size_t i = 0; i < kWord; ++i) at[i] = static_cast<std::byte>(value >> (8 * (kWord - 1 - i)));
}

uint32_t checksum_of(const std::byte* at, size_t count) {
  const void* bytes = at;
  return static_cast<uint32_t>(
      crc32(0, static_cast<const unsigned char*>(bytes), static_cast<unsigned>(count)));
}

}  // namespace

bool mend_png_checksums(std::vector<std::byte>& file) {
  if (file.size() < kSignature.size() ||
      std::memcmp(file.data(), kSignature.data(), kSignature.size()) != 0) {
    return false;
  }
  bool any_wrong = false;
  for (size_t at = kSignature.size(); file.size() - at >= 3 * kWord;) {
    const size_t length = read_word(file.data() + at);
    if (length > file.size() - at - 3 * kWord) break;
    const size_t end = at + 2 * kWord + length;
    const uint32_t right = checksum_of(file.data() + at + kWord, kWord + length);
    if (read_word(file.data() + end) != right) {
      write_word(file.data() + end, right);
      any_wrong = true;
    }
    if (std::memcmp(file.data() + at + kWord, "IEND", kWord) == 0) break;
    at = end + kWord;
  }
  return any_wrong;
}

}  // namespace mrcnn::fuzz
