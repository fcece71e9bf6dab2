#include "tools/trainer/checkpoint_format.h"

#include <fmt/format.h>

#include <charconv>
#include <span>

#include "core/io/sha256.h"

namespace mrcnn {
namespace {

constexpr std::string_view kNameStart = "checkpoint-";
constexpr std::string_view kNameEnd = ".safetensors";
constexpr size_t kStepDigits = 9;
constexpr size_t kDigestDigits = 64;

}  // namespace

std::string checkpoint_name(int64_t step) {
  return fmt::format("{}{:0{}}{}", kNameStart, step, kStepDigits, kNameEnd);
}

std::optional<int64_t> checkpoint_step(std::string_view name) {
  if (!name.starts_with(kNameStart) || !name.ends_with(kNameEnd)) return std::nullopt;
  if (name.size() < kNameStart.size() + kNameEnd.size()) return std::nullopt;
  const std::string_view digits =
      name.substr(kNameStart.size(), name.size() - kNameStart.size() - kNameEnd.size());
  int64_t step = 0;
  const char* end = digits.data() + digits.size();
  const auto [last, error] = std::from_chars(digits.data(), end, step);
  // Exactly as checkpoint_name() writes it: no signs, no other number of zeros.
  const bool is_count = error == std::errc{} && last == end && step >= 0;
  if (!is_count || name != checkpoint_name(step)) return std::nullopt;
  return step;
}

std::optional<HeaderSeal> header_seal(std::string_view prologue) {
  // Inside a value the quotes would be escaped, so only the key itself can match.
  const std::string key = fmt::format("\"{}\":\"", checkpoint_key::kHeaderSha256);
  const size_t found = prologue.find(key);
  if (found == prologue.npos) return std::nullopt;
  HeaderSeal seal;
  seal.offset = found + key.size();
  if (prologue.size() < seal.offset + kDigestDigits) return std::nullopt;
  std::string text(prologue);
  text.replace(seal.offset, kDigestDigits, kDigestDigits, '0');
  seal.digest = sha256_hex(std::as_bytes(std::span(text)));
  return seal;
}

bool is_sealed(std::string_view prologue) {
  const std::optional<HeaderSeal> seal = header_seal(prologue);
  return seal && prologue.substr(seal->offset, kDigestDigits) == seal->digest;
}

}  // namespace mrcnn
