#include "tools/option_checks.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "tools/command_line.h"

namespace mrcnn {
namespace {

template <typename T>
CLI::Validator number_from(T low, T high) {
  const auto check = [low, high](const std::string& text) {
    T number{};
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, number);
    const bool good =
        result.ec == std::errc() && result.ptr == end && number >= low && number <= high;
    return good ? std::string()
                : fmt::format("'{}' is not a {} from {} to {}", text,
                              std::is_integral_v<T> ? "whole number" : "number", low, high);
  };
  return {check, "", ""};
}

}  // namespace

CLI::Validator number_between(double low, double high) { return number_from(low, high); }

CLI::Validator whole_number_between(int64_t low, int64_t high) { return number_from(low, high); }

CLI::Validator one_of(const std::vector<std::string>& words) {
  const auto check = [words](const std::string& text) {
    if (std::find(words.begin(), words.end(), text) != words.end()) return std::string();
    const std::string near = nearest_word(text, words);
    return near.empty() ? fmt::format("'{}' is not one of {}", text, fmt::join(words, ", "))
                        : fmt::format("'{}' is unknown; did you mean '{}'?", text, near);
  };
  return {check, "", ""};
}

CLI::Validator not_empty() {
  const auto check = [](const std::string& text) {
    return std::string(text.empty() ? "the value is empty" : "");
  };
  return {check, "", ""};
}

}  // namespace mrcnn
