#include "models/name_pattern.h"

#include <cassert>
#include <charconv>
#include <vector>

namespace mrcnn {
namespace {

struct Capture {
  std::vector<int> numbers;
  std::string_view rest;
};

bool match(std::string_view name, std::string_view pattern, Capture& capture) {
  for (const char c : pattern) {
    if (c == '*') {
      capture.rest = name;
      return !name.empty();
    }
    if (c == '#') {
      int number = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
      if (error != std::errc() || number < 0) return false;
      name.remove_prefix(static_cast<size_t>(end - name.data()));
      capture.numbers.push_back(number);
    } else {
      if (name.empty() || name.front() != c) return false;
      name.remove_prefix(1);
    }
  }
  return name.empty();
}

// "{1-2}" at the start of `text`: the number, shifted. Consumed.
int take_number(std::string_view& text, const Capture& capture) {
  const size_t close = text.find('}');
  assert(close != text.npos);
  const auto index = static_cast<size_t>(text[1] - '0');
  int shift = 0;
  if (close > 2) {
    std::from_chars(text.data() + 3, text.data() + close, shift);
    if (text[2] == '-') shift = -shift;
  }
  text.remove_prefix(close + 1);
  return capture.numbers.at(index) + shift;
}

std::string fill(std::string_view replacement, const Capture& capture) {
  std::string name;
  while (!replacement.empty()) {
    if (replacement.front() == '{') {
      name += std::to_string(take_number(replacement, capture));
      continue;
    }
    if (replacement.front() == '*') {
      name += capture.rest;
    } else {
      name += replacement.front();
    }
    replacement.remove_prefix(1);
  }
  return name;
}

}  // namespace

std::optional<std::string> rename_by_rules(std::string_view name, std::span<const NameRule> rules) {
  for (const NameRule& rule : rules) {
    Capture capture;
    if (match(name, rule.pattern, capture)) return fill(rule.replacement, capture);
  }
  return std::nullopt;
}

}  // namespace mrcnn
