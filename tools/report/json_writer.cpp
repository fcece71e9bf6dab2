#include "tools/report/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "core/error.h"
#include "tools/report/utf8.h"

namespace mrcnn {
namespace {

constexpr size_t kFlushBytes = 64 * 1024;

[[noreturn]] void misuse(const char* problem) {
  throw Error(ExitCode::kInternal, std::string("[json] ") + problem);
}

}  // namespace

void JsonWriter::key(std::string_view name) {
  if (levels_.empty() || levels_.back().bracket != '{') misuse("a key outside an object");
  if (after_key_) misuse("a key after a key");
  if (levels_.back().num_items++ > 0) buffer_ += ',';
  append_string(name);
  buffer_ += ':';
  after_key_ = true;
}

void JsonWriter::value(std::string_view text) {
  start_value();
  append_string(text);
  flush_when_large();
}

void JsonWriter::value(int64_t number) {
  start_value();
  append_number(number);
}

void JsonWriter::value(float number) {
  if (!std::isfinite(number)) misuse("a number that is not finite");
  start_value();
  append_number(number);
}

void JsonWriter::value(double number) {
  if (!std::isfinite(number)) misuse("a number that is not finite");
  start_value();
  append_number(number);
}

void JsonWriter::value(bool flag) {
  start_value();
  buffer_ += flag ? "true" : "false";
}

void JsonWriter::null() {
  start_value();
  buffer_ += "null";
}

void JsonWriter::finish() {
  if (!levels_.empty() || !complete_) misuse("the document is not complete");
  buffer_ += '\n';
  sink_(buffer_);
  buffer_.clear();
}

void JsonWriter::open(char bracket, Layout layout) {
  start_value();
  buffer_ += bracket;
  complete_ = false;
  levels_.push_back({bracket, layout, 0});
}

void JsonWriter::close(char bracket, char closing) {
  if (levels_.empty() || levels_.back().bracket != bracket || after_key_) misuse("wrong nesting");
  if (levels_.back().layout == Layout::kLinePerItem && levels_.back().num_items > 0) {
    buffer_ += '\n';
  }
  buffer_ += closing;
  levels_.pop_back();
  complete_ = levels_.empty();
  flush_when_large();
}

// What stands before a value: the comma and line break of an array; nothing after a key.
void JsonWriter::start_value() {
  if (levels_.empty()) {
    if (complete_) misuse("a second document");
    complete_ = true;
    return;
  }
  Level& level = levels_.back();
  if (level.bracket == '{') {
    if (!after_key_) misuse("a value without a key");
    after_key_ = false;
    return;
  }
  if (level.num_items++ > 0) buffer_ += ',';
  if (level.layout == Layout::kLinePerItem) buffer_ += '\n';
}

void JsonWriter::append_string(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  buffer_ += '"';
  for (const char c : to_valid_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      buffer_ += '\\';
      buffer_ += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      buffer_ += "\\u00";
      buffer_ += kHex[byte >> 4];
      buffer_ += kHex[byte & 15];
    } else {
      buffer_ += c;
    }
  }
  buffer_ += '"';
}

template <typename T>
void JsonWriter::append_number(T number) {
  std::array<char, 32> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), number);
  buffer_.append(text.data(), result.ptr);
}

void JsonWriter::flush_when_large() {
  if (buffer_.size() < kFlushBytes) return;
  sink_(buffer_);
  buffer_.clear();
}

}  // namespace mrcnn
