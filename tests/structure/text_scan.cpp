#include "tests/structure/text_scan.h"

#include <cctype>

namespace mrcnn::structure {
namespace {

bool is_word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::string_view trim_left(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
}

// End (one past) of the literal or comment that begins at `begin`; `begin` itself if none does.
size_t end_of_blank(std::string_view text, size_t begin) {
  const auto after = [&](std::string_view closing, size_t from) {
    const size_t at = text.find(closing, from);
    return at == std::string_view::npos ? text.size() : at + closing.size();
  };
  const std::string_view rest = text.substr(begin);
  if (rest.starts_with("//")) {
    const size_t newline = text.find('\n', begin);
    return newline == std::string_view::npos ? text.size() : newline;
  }
  if (rest.starts_with("/*")) return after("*/", begin + 2);
  const bool in_word = begin > 0 && is_word_character(text[begin - 1]);
  if (!in_word && rest.starts_with("R\"")) {
    const size_t open = text.find('(', begin);
    if (open == std::string_view::npos) return text.size();
    return after(")" + std::string(text.substr(begin + 2, open - begin - 2)) + "\"", open);
  }
  // An apostrophe inside a number separates digits.
  if (rest.front() != '"' && (rest.front() != '\'' || in_word)) return begin;
  size_t at = begin + 1;
  while (at < text.size() && text[at] != rest.front() && text[at] != '\n') {
    at += text[at] == '\\' ? 2 : 1;
  }
  return at < text.size() ? at + 1 : text.size();
}

}  // namespace

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    lines.push_back(text.substr(0, newline));
    text = newline == std::string_view::npos ? std::string_view{} : text.substr(newline + 1);
  }
  return lines;
}

std::vector<Include> includes_of(std::string_view text) {
  std::vector<Include> includes;
  int number = 0;
  for (std::string_view line : split_lines(text)) {
    ++number;
    line = trim_left(line);
    if (!line.starts_with('#')) continue;
    line = trim_left(line.substr(1));
    if (!line.starts_with("include")) continue;
    line = trim_left(line.substr(7));
    if (line.empty() || (line.front() != '"' && line.front() != '<')) continue;
    const size_t close = line.find(line.front() == '"' ? '"' : '>', 1);
    if (close == std::string_view::npos) continue;
    includes.push_back({line.substr(1, close - 1), line.front() == '"', number});
  }
  return includes;
}

std::string code_only(std::string_view text) {
  std::string code(text);
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = end_of_blank(text, at);
    for (size_t i = at; i < end; ++i) {
      if (code[i] != '\n') code[i] = ' ';
    }
    at = end > at ? end : at + 1;
  }
  return code;
}

size_t find_word(std::string_view text, std::string_view word, size_t start) {
  for (size_t at = text.find(word, start); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool touches_left = at > 0 && is_word_character(text[at - 1]);
    const bool touches_right = end < text.size() && is_word_character(text[end]);
    if (!touches_left && !touches_right) return at;
  }
  return std::string_view::npos;
}

std::string finding(std::string_view path, int line, std::string_view problem) {
  std::string text(path);
  if (line > 0) text += ":" + std::to_string(line);
  return text.append(": ").append(problem);
}

}  // namespace mrcnn::structure
