// One key of the configuration: how its text becomes a member of TrainConfig, and back.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/trainer/train_config.h"

namespace mrcnn {

// Whether the trained weights depend on a setting, or only where, how fast and how talkatively the
// run gets there. A resumed run may change the second kind.
enum class SettingScope { kResult, kRun };

struct Setting {
  std::string name;
  std::string type;  // for --help: "whole number from 1 up", "constant, multistep or cosine"
  SettingScope scope = SettingScope::kResult;
  std::string help;  // one line
  // Throws UsageError with what is wrong with the text, without the key.
  std::function<void(TrainConfig&, std::string_view)> set;
  std::function<std::string(const TrainConfig&)> get;  // what set() reads back to the same value

  Setting&& of_run() && {
    scope = SettingScope::kRun;
    return std::move(*this);
  }
};

template <typename T>
struct SettingRange {
  T least;
  T most;
  bool most_excluded = false;
};

Setting text_setting(const char* name, std::string TrainConfig::*member, const char* help);
// A text that is one of `words`.
Setting word_setting(const char* name, std::string TrainConfig::*member,
                     std::vector<std::string> words, const char* help);
Setting flag_setting(const char* name, bool TrainConfig::*member, const char* help);
Setting integer_setting(const char* name, int64_t TrainConfig::*member, SettingRange<int64_t> range,
                        const char* help);
// 0 is "none".
Setting optional_integer_setting(const char* name, int64_t TrainConfig::*member,
                                 SettingRange<int64_t> range, const char* help);
Setting seed_setting(const char* name, uint64_t TrainConfig::*member, const char* help);
Setting real_setting(const char* name, double TrainConfig::*member, SettingRange<double> range,
                     const char* help);
Setting integers_setting(const char* name, std::vector<int64_t> TrainConfig::*member,
                         SettingRange<int64_t> range, const char* help);
Setting reals_setting(const char* name, std::vector<double> TrainConfig::*member,
                      SettingRange<double> range, const char* help);
// Seconds, written as in "1h30m" (duration.h); 0 is "none".
Setting duration_setting(const char* name, double TrainConfig::*member, const char* help);

size_t index_of_word(std::string_view text, const std::vector<std::string>& words);
std::string join_words(const std::vector<std::string>& words);  // "a, b or c"

// An enumeration whose values count from 0 in the order of `words`.
template <typename E>
Setting choice_setting(const char* name, E TrainConfig::*member, std::vector<std::string> words,
                       const char* help) {
  Setting setting;
  setting.name = name;
  setting.type = join_words(words);
  setting.help = help;
  setting.set = [member, words](TrainConfig& config, std::string_view text) {
    config.*member = static_cast<E>(index_of_word(text, words));
  };
  setting.get = [member, words](const TrainConfig& config) {
    return words.at(static_cast<size_t>(config.*member));
  };
  return setting;
}

}  // namespace mrcnn
