#include "data/coco/json_sections.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace mrcnn {
namespace {

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

// What is read at once: no more than a small file holds, so that many of these are read fast.
constexpr int64_t kMostBlock = int64_t{1} << 20;
constexpr int64_t kLeastBlock = 256;
// A piece ends at the first element that ends behind so many bytes.
constexpr size_t kPieceBytes = size_t{1} << 20;
// No element, and no value that is not an array of objects, may be longer.
constexpr auto kMaxPieceBytes = static_cast<size_t>(kLimits.annotation.element_bytes);
constexpr auto kMaxKeyBytes = static_cast<size_t>(kLimits.annotation.key_bytes);

bool is_space(int c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string shown(int c) {
  if (c < 0) return "the end of the file";
  if (c > 0x20 && c < 0x7F) return fmt::format("'{}'", static_cast<char>(c));
  return fmt::format("byte 0x{:02X}", c);
}

}  // namespace

JsonSections::JsonSections(SourceFile& file, JsonRoot root, Sha256* hash)
    : file_(file), root_(root), hash_(hash) {}

void JsonSections::fail(const std::string& problem, size_t ahead) const {
  throw FileError(ExitCode::kData, file_.path(),
                  fmt::format("byte {}", offset_ + static_cast<int64_t>(ahead)), problem);
}

bool JsonSections::fill() {
  if (begin_ > 0) {
    std::memmove(window_.data(), window(), available());
    end_ -= begin_;
    begin_ = 0;
  }
  const auto block =
      static_cast<size_t>(std::clamp(file_.stamp().size - num_read_, kLeastBlock, kMostBlock));
  if (window_.size() - end_ < block) window_.resize(std::max(2 * window_.size(), end_ + block));
  const std::span<char> target(window_.data() + end_, block);
  const size_t count = file_.read(target);
  if (hash_ != nullptr) hash_->update(std::as_bytes(target.first(count)));
  end_ += count;
  num_read_ += static_cast<int64_t>(count);
  return count > 0;
}

int JsonSections::peek() {
  if (available() == 0 && !fill()) return -1;
  return static_cast<unsigned char>(*window());
}

int JsonSections::peek_behind_space() {
  int c = peek();
  while (is_space(c)) {
    ++begin_;
    ++offset_;
    c = peek();
  }
  return c;
}

void JsonSections::start() {
  const int c = peek();
  if (c < 0) fail("is empty");
  if (c == 0xEF) fail("begins with a byte order mark: save it as UTF-8 without one");
  if (c == 0xFE || c == 0xFF || c == 0) fail("is UTF-16 or binary: save it as UTF-8");
  check_root(peek_behind_space());
  ++begin_;
  ++offset_;
  state_ = root_ == JsonRoot::kList ? State::kArray : State::kMember;
  first_piece_ = true;
}

void JsonSections::check_root(int first) const {
  if (root_ == JsonRoot::kList) {
    if (first == '{') {
      fail("is an object, as files of annotations are, and not a list of results");
    }
    if (first != '[') fail(fmt::format("is not a JSON list: it begins with {}", shown(first)));
    return;
  }
  if (first == '[') {
    fail(
        "is a list, as files of results are, and not an object with images, annotations and "
        "categories");
  }
  if (first != '{') fail(fmt::format("is not a JSON object: it begins with {}", shown(first)));
}

std::string JsonSections::within() const {
  return root_ == JsonRoot::kList ? "the list" : "\"" + section_ + "\"";
}

bool JsonSections::next(JsonPiece& piece) {
  if (state_ == State::kStart) start();
  while (true) {
    if (state_ == State::kArray) {
      take_elements(piece);
      return true;
    }
    const int c = peek_behind_space();
    if (state_ == State::kEnd) {
      if (c >= 0) {
        fail(fmt::format("has {} behind the end of its JSON {}", shown(c),
                         root_ == JsonRoot::kList ? "list" : "object"));
      }
      return false;
    }
    if (c < 0) fail("ends inside its JSON object: it is truncated");
    const bool ends = c == '}' && (state_ == State::kAfterValue || !any_member_);
    if (!ends && state_ == State::kAfterValue && c != ',') {
      fail(fmt::format("is not valid JSON: {} where ',' or '}}' belongs", shown(c)));
    }
    if (ends || state_ == State::kAfterValue) {
      ++begin_;
      ++offset_;
      state_ = ends ? State::kEnd : State::kMember;
      continue;
    }
    if (start_member(piece)) return true;
  }
}

// Takes `"key":` and what opens the value; whether that made a piece.
bool JsonSections::start_member(JsonPiece& piece) {
  section_ = take_key();
  any_member_ = true;
  first_piece_ = true;
  const int colon = peek_behind_space();
  if (colon != ':') fail(fmt::format("is not valid JSON: {} where ':' belongs", shown(colon)));
  ++begin_;
  ++offset_;
  if (peek_behind_space() != '[') {
    take_value(piece);
    return true;
  }
  ++begin_;
  ++offset_;
  state_ = State::kArray;
  return false;
}

std::string JsonSections::take_key() {
  const int quote = peek();
  if (quote != '"') fail(fmt::format("is not valid JSON: {} where a key belongs", shown(quote)));
  size_t end = skip_json_string(window(), 0, available());
  while (end == available() && end <= kMaxKeyBytes && fill()) {
    end = skip_json_string(window(), 0, available());
  }
  if (end > kMaxKeyBytes) fail(fmt::format("has a key of more than {} bytes", kMaxKeyBytes));
  if (end < 2 || window()[end - 1] != '"') fail("ends inside a key: it is truncated");
  std::string key(window() + 1, end - 2);
  if (!simdjson::validate_utf8(key)) fail("has a key that is not UTF-8");
  begin_ += end;
  offset_ += static_cast<int64_t>(end);
  return key;
}

void JsonSections::take_piece(JsonPiece& piece, size_t size) {
  piece.section = section_;
  piece.is_first = first_piece_;
  piece.number = num_pieces_++;
  piece.begin = offset_;
  piece.size = size + 2;
  piece.text.resize(piece.size + kJsonPadding);
  piece.text[0] = '[';
  std::memcpy(piece.text.data() + 1, window(), size);
  piece.text[size + 1] = ']';
  std::fill(piece.text.begin() + static_cast<std::ptrdiff_t>(piece.size), piece.text.end(), ' ');
  begin_ += size;
  offset_ += static_cast<int64_t>(size);
  first_piece_ = false;
}

void JsonSections::take_elements(JsonPiece& piece) {
  const int first = peek_behind_space();
  if (!first_piece_) {
    // The array goes on, so the previous piece ended behind an element.
    if (first >= 0 && first != ',') {
      fail(fmt::format("is not valid JSON: {} where ',' or ']' belongs", shown(first)));
    }
    if (first == ',') {
      ++begin_;
      ++offset_;
      if (peek_behind_space() == ']') fail("is not valid JSON: an element is missing behind ','");
    }
  }
  JsonNesting nesting;
  size_t at = 0;
  size_t cut = 0;  // behind the last element that ends in the window
  bool array_ends = false;
  while (cut < kPieceBytes && !array_ends) {
    switch (nesting.walk(window(), at, available())) {
      case JsonNesting::Stop::kValueEnd:
        cut = at;
        break;
      case JsonNesting::Stop::kArrayEnd:
        cut = at;
        array_ends = true;
        break;
      case JsonNesting::Stop::kUnopened:
        fail("is not valid JSON: '}' without its '{'", at);
      case JsonNesting::Stop::kTooDeep:
        fail(fmt::format("is nested more than {} levels deep", kMaxJsonDepth), at);
      case JsonNesting::Stop::kEndOfText:
        if (available() > kMaxPieceBytes) {
          fail(fmt::format("has an element of more than {} MiB in {}", kMaxPieceBytes >> 20,
                           within()));
        }
        if (!fill()) fail("ends inside " + within() + ": it is truncated", available());
        break;
    }
  }
  // What follows the last element may be the end of the array; then no piece is left for later.
  while (!array_ends && (at < available() || fill()) && is_space(window()[at])) ++at;
  if (!array_ends && at < available() && window()[at] == ']') array_ends = true;
  piece.is_array = true;
  take_piece(piece, cut);
  if (!array_ends) return;
  peek_behind_space();
  ++begin_;
  ++offset_;
  state_ = root_ == JsonRoot::kList ? State::kEnd : State::kAfterValue;
}

// A value that is not an array.
void JsonSections::take_value(JsonPiece& piece) {
  const int first = peek();
  if (first < 0) fail("ends behind a key: it is truncated");
  JsonNesting nesting;
  size_t at = 0;
  const auto more = [&] {
    if (available() > kMaxPieceBytes) {
      fail(fmt::format("has a value of more than {} MiB: \"{}\"", kMaxPieceBytes >> 20, section_));
    }
    return fill();
  };
  if (first == '{') {
    JsonNesting::Stop stop = nesting.walk(window(), at, available());
    while (stop == JsonNesting::Stop::kEndOfText && more()) {
      stop = nesting.walk(window(), at, available());
    }
    if (stop == JsonNesting::Stop::kTooDeep) {
      fail(fmt::format("is nested more than {} levels deep", kMaxJsonDepth), at);
    }
    if (stop != JsonNesting::Stop::kValueEnd) {
      fail("ends inside \"" + section_ + "\": it is truncated", available());
    }
  } else if (first == '"') {
    at = skip_json_string(window(), 0, available());
    while (at == available() && more()) at = skip_json_string(window(), 0, available());
  } else {
    const auto ends = [](char c) { return is_space(c) || c == ',' || c == '}'; };
    while ((at < available() || more()) && !ends(window()[at])) ++at;
  }
  piece.is_array = false;
  take_piece(piece, at);
  state_ = State::kAfterValue;
}

}  // namespace mrcnn
