#include "tools/trainer/setting.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "tools/command_line.h"
#include "tools/trainer/duration.h"

namespace mrcnn {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& wanted) {
  throw UsageError(fmt::format("'{}' is not {}", text, wanted));
}

constexpr const char* kOrNone = ", or none";

template <typename T>
std::string describe(const SettingRange<T>& range) {
  const char* kind = std::is_integral_v<T> ? "a whole number" : "a number";
  if (range.most == std::numeric_limits<T>::max()) {
    return fmt::format("{} from {} up", kind, range.least);
  }
  return fmt::format("{} from {} to {}{}", kind, range.least, range.most_excluded ? "below " : "",
                     range.most);
}

template <typename T>
T parse_number(std::string_view text, const SettingRange<T>& range, const char* or_else = "") {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  // Written so that NaN fails.
  const bool in_range =
      value >= range.least && (value < range.most || (value == range.most && !range.most_excluded));
  if (!is_number || !in_range || !std::isfinite(static_cast<double>(value))) {
    refuse(text, describe(range) + or_else);
  }
  return value;
}

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

template <typename T>
std::vector<T> parse_list(std::string_view text, const SettingRange<T>& range) {
  std::vector<T> values;
  if (trim(text).empty()) return values;
  while (true) {
    const size_t comma = text.find(',');
    values.push_back(parse_number<T>(trim(text.substr(0, comma)), range));
    if (comma == text.npos) return values;
    text.remove_prefix(comma + 1);
  }
}

// A setting whose type has a parser from text and is written by fmt.
template <typename T, typename Parse, typename Format>
Setting make(const char* name, T TrainConfig::*member, std::string type, const char* help,
             Parse parse, Format format) {
  Setting setting;
  setting.name = name;
  setting.type = std::move(type);
  setting.help = help;
  setting.set = [member, parse](TrainConfig& config, std::string_view text) {
    config.*member = parse(text);
  };
  setting.get = [member, format](const TrainConfig& config) { return format(config.*member); };
  return setting;
}

template <typename T>
Setting make_number(const char* name, T TrainConfig::*member, const SettingRange<T>& range,
                    const char* help) {
  return make(
      name, member, describe(range), help,
      [range](std::string_view text) { return parse_number<T>(text, range); },
      [](T value) { return fmt::format("{}", value); });
}

template <typename T>
Setting make_list(const char* name, std::vector<T> TrainConfig::*member,
                  const SettingRange<T>& range, const char* help) {
  return make(
      name, member, "list of: " + describe(range), help,
      [range](std::string_view text) { return parse_list<T>(text, range); },
      [](const std::vector<T>& values) { return fmt::format("{}", fmt::join(values, ",")); });
}

}  // namespace

Setting text_setting(const char* name, std::string TrainConfig::*member, const char* help) {
  return make(
      name, member, "text", help, [](std::string_view text) { return std::string(text); },
      [](const std::string& text) { return text; });
}

Setting word_setting(const char* name, std::string TrainConfig::*member,
                     std::vector<std::string> words, const char* help) {
  return make(
      name, member, join_words(words), help,
      [words](std::string_view text) { return words[index_of_word(text, words)]; },
      [](const std::string& text) { return text; });
}

Setting flag_setting(const char* name, bool TrainConfig::*member, const char* help) {
  return make(
      name, member, "true or false", help,
      [](std::string_view text) {
        if (text != "true" && text != "false") refuse(text, "true or false");
        return text == "true";
      },
      [](bool flag) { return std::string(flag ? "true" : "false"); });
}

Setting integer_setting(const char* name, int64_t TrainConfig::*member, SettingRange<int64_t> range,
                        const char* help) {
  return make_number(name, member, range, help);
}

Setting optional_integer_setting(const char* name, int64_t TrainConfig::*member,
                                 SettingRange<int64_t> range, const char* help) {
  return make(
      name, member, describe(range) + kOrNone, help,
      [range](std::string_view text) {
        return text == "none" ? int64_t{0} : parse_number<int64_t>(text, range, kOrNone);
      },
      [](int64_t value) { return value == 0 ? "none" : fmt::format("{}", value); });
}

Setting seed_setting(const char* name, uint64_t TrainConfig::*member, const char* help) {
  return make_number(name, member, {0, std::numeric_limits<uint64_t>::max()}, help);
}

Setting real_setting(const char* name, double TrainConfig::*member, SettingRange<double> range,
                     const char* help) {
  return make_number(name, member, range, help);
}

Setting integers_setting(const char* name, std::vector<int64_t> TrainConfig::*member,
                         SettingRange<int64_t> range, const char* help) {
  return make_list(name, member, range, help);
}

Setting reals_setting(const char* name, std::vector<double> TrainConfig::*member,
                      SettingRange<double> range, const char* help) {
  return make_list(name, member, range, help);
}

Setting duration_setting(const char* name, double TrainConfig::*member, const char* help) {
  return make(
      name, member, "duration such as 90m or 1h30m, or none", help,
      [](std::string_view text) { return text == "none" ? 0.0 : parse_duration(text); },
      [](double seconds) { return seconds == 0 ? "none" : duration_text(seconds); });
}

std::string join_words(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  }
  return text;
}

size_t index_of_word(std::string_view text, const std::vector<std::string>& words) {
  const auto found = std::find(words.begin(), words.end(), text);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  const std::string near = nearest_word(text, words);
  refuse(text, join_words(words) + (near.empty() ? "" : "; did you mean '" + near + "'?"));
}

}  // namespace mrcnn
