#include "data/doctor/lenient_json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <new>
#include <string_view>

namespace mrcnn {
namespace {

constexpr std::array<std::string_view, 3> kTokens = {"-Infinity", "Infinity", "NaN"};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Quotes the tokens outside of strings; whether there was one.
bool quote_tokens(std::string_view text, std::string& out) {
  out.clear();
  bool found = false;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      const size_t end = skip_json_string(text.data(), at, text.size());
      out += text.substr(at, end - at);
      at = end;
      continue;
    }
    std::string_view token;
    for (const std::string_view candidate : kTokens) {
      if (text.substr(at).starts_with(candidate)) token = candidate;
      if (!token.empty()) break;
    }
    if (token.empty()) {
      out += text[at++];
    } else {
      out += fmt::format("\"{}\"", token);
      at += token.size();
      found = true;
    }
  }
  return found;
}

// Exactly one comma belongs between two elements, and none before the first and behind the last.
std::string problem_between(std::string_view text, bool comma_belongs) {
  int64_t commas = 0;
  for (const char c : text) {
    if (c == ',') {
      ++commas;
    } else if (!is_space(c)) {
      return fmt::format("'{}' stands where an object belongs", c);
    }
  }
  if (commas == (comma_belongs ? 1 : 0)) return {};
  return commas == 0 ? "a comma is missing" : "there is a comma too many";
}

}  // namespace

std::vector<JsonElement> split_elements(const JsonPiece& piece) {
  std::vector<JsonElement> elements;
  const char* const text = piece.text.data();
  const size_t limit = piece.size - 1;  // the closing bracket
  const auto byte_of = [&](size_t at) { return piece.begin + static_cast<int64_t>(at) - 1; };
  JsonNesting nesting;
  size_t done = 1;
  bool any = false;
  const auto check_between = [&](size_t end, bool comma_belongs) {
    const std::string problem =
        problem_between(std::string_view(text + done, end - done), comma_belongs);
    if (problem.empty()) return;
    size_t at = done;
    while (at < end && is_space(text[at])) ++at;
    elements.push_back({.begin = at, .end = at, .byte = byte_of(at), .problem = problem});
  };
  size_t at = 1;
  while (nesting.walk(text, at, limit) == JsonNesting::Stop::kValueEnd) {
    size_t begin = done;
    while (begin < at && text[begin] != '{' && text[begin] != '[') {
      begin = text[begin] == '"' ? skip_json_string(text, begin, at) : begin + 1;
    }
    check_between(begin, any);
    elements.push_back({.begin = begin, .end = at, .byte = byte_of(begin), .problem = {}});
    done = at;
    any = true;
  }
  check_between(limit, false);
  return elements;
}

LenientParser::LenientParser() : parser_(std::make_unique<simdjson::dom::parser>()) {}
LenientParser::~LenientParser() = default;

bool LenientParser::parse(const char* text, size_t size, simdjson::dom::element& value,
                          std::string& problem) {
  replaced_tokens_ = false;
  const simdjson::error_code error = parser_->parse(text, size, false).get(value);
  if (error == simdjson::SUCCESS) return true;
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  problem = simdjson::error_message(error);
  if (!quote_tokens(std::string_view(text, size), sanitised_)) return false;
  replaced_tokens_ = true;
  const simdjson::error_code again = parser_->parse(sanitised_).get(value);
  if (again == simdjson::MEMALLOC) throw std::bad_alloc();
  return again == simdjson::SUCCESS;
}

}  // namespace mrcnn
