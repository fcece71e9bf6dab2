#include "tools/trainer/config_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/sha256.h"
#include "tools/trainer/settings.h"

namespace mrcnn {
namespace {

constexpr std::string_view kSpace = " \t\r";

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// Without a comment at its end: '#' at the beginning or after a space.
std::string_view without_comment(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#' && (i == 0 || kSpace.find(text[i - 1]) != kSpace.npos)) {
      return text.substr(0, i);
    }
  }
  return text;
}

// `text` begins with a quote; what is inside, with nothing but a comment behind it.
std::string unquote(std::string_view text) {
  std::string value;
  size_t i = 1;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\') {
      ++i;
      if (i == text.size() || (text[i] != '"' && text[i] != '\\')) {
        throw UsageError("only \\\" and \\\\ may follow in quotes after a backslash");
      }
    }
    value += text[i];
  }
  if (i >= text.size()) throw UsageError(fmt::format("the quote of {} does not end", text));
  const std::string_view rest = trim(without_comment(text.substr(i + 1)));
  if (!rest.empty()) throw UsageError(fmt::format("'{}' follows the closing quote", rest));
  return value;
}

struct Entry {
  const Setting* setting;
  std::string value;
  std::string place;  // "line 3", "'lr=0.1'"
};

Entry parse_entry(std::string_view line, const std::string& place) {
  const size_t equals = line.find('=');
  if (equals == line.npos) throw UsageError(fmt::format("'{}' is not key = value", trim(line)));
  const Setting& setting = find_setting(trim(line.substr(0, equals)));
  const std::string_view value = trim(line.substr(equals + 1));
  if (value.starts_with('"')) return {&setting, unquote(value), place};
  return {&setting, std::string(trim(without_comment(value))), place};
}

void apply(const Entry& entry, TrainConfig& config) {
  try {
    entry.setting->set(config, entry.value);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", entry.setting->name, error.what()));
  }
}

// Settings of one source, each at most once. Values are checked as they come.
class Layer {
 public:
  void add(Entry entry) {
    const auto [known, is_new] = places_.emplace(entry.setting->name, entry.place);
    if (!is_new) {
      throw UsageError(
          fmt::format("'{}' is given twice, first in {}", entry.setting->name, known->second));
    }
    TrainConfig scratch;
    apply(entry, scratch);
    entries_.push_back(std::move(entry));
  }

  std::optional<std::string> preset() const {
    for (const Entry& entry : entries_) {
      if (entry.setting->name == "preset") return entry.value;
    }
    return std::nullopt;
  }

  void apply_to(TrainConfig& config) const {
    for (const Entry& entry : entries_) apply(entry, config);
  }

 private:
  std::vector<Entry> entries_;
  std::map<std::string, std::string> places_;
};

Layer parse_file(std::string_view text, const std::string& path) {
  Layer layer;
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const std::string place = fmt::format("line {}", number);
    try {
      layer.add(parse_entry(line, place));
    } catch (const UsageError& error) {
      throw FileError(ExitCode::kUsage, path, place, error.what());
    }
  }
  return layer;
}

Layer parse_overrides(const std::vector<std::string>& words) {
  Layer layer;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    try {
      if (equals == word.npos) throw UsageError("is not key=value");
      if (word.find('\n') != word.npos) throw UsageError("holds a line break");
      // No comments and quotes here: the shell has had its turn.
      const Setting& setting = find_setting(std::string_view(word).substr(0, equals));
      layer.add({&setting, word.substr(equals + 1), "'" + word + "'"});
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("setting '{}': {}", word, error.what()));
    }
  }
  return layer;
}

TrainConfig combine(const Layer& file, const Layer& overrides) {
  TrainConfig config;
  const std::string name = overrides.preset().value_or(file.preset().value_or(config.preset));
  for (const Preset& preset : presets()) {
    if (preset.name != name) continue;
    for (const std::string& line : preset.lines) apply(parse_entry(line, name), config);
  }
  file.apply_to(config);
  overrides.apply_to(config);
  return config;
}

std::string quoted_if_needed(const std::string& value) {
  const bool plain =
      trim(value) == value && without_comment(value) == value && !value.starts_with('"');
  if (plain) return value;
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

}  // namespace

TrainConfig parse_config(std::string_view text, const std::string& path) {
  return combine(parse_file(text, path), {});
}

TrainConfig read_config(const ConfigSources& sources) {
  Layer file;
  if (!sources.file.empty()) {
    const FileBytes content = read_file(sources.file, ExitCode::kUsage);
    const void* data = content.bytes.data();
    file = parse_file({static_cast<const char*>(data), content.bytes.size()}, sources.file);
  }
  return combine(file, parse_overrides(sources.overrides));
}

void check_config(const TrainConfig& config) {
  const auto require = [](bool holds, const char* problem) {
    if (!holds) throw UsageError(problem);
  };
  require(!config.data.empty(), "no data set is given: data = FOLDER");
  require(!config.out.empty(), "no folder for the results is given: out = FOLDER");
  require(!config.min_size.empty(), "min_size needs at least one value");
  for (const int64_t size : config.min_size) {
    require(size <= config.max_size, "min_size is larger than max_size");
  }
  require(std::is_sorted(config.milestones.begin(), config.milestones.end()),
          "milestones are not in ascending order");
  require(config.schedule != LrDecay::kMultiStep || !config.milestones.empty(),
          "schedule = multistep needs milestones; without any it is constant");
  if (config.precision != "fp32" && config.device == "cpu") {
    throw UsageError("precision = " + config.precision + " needs a GPU; the CPU computes in fp32");
  }
}

std::string config_text(const TrainConfig& config) {
  std::string text;
  for (const Setting& setting : settings()) {
    text += setting.name + " = " + quoted_if_needed(setting.get(config)) + "\n";
  }
  return text;
}

void write_config(const std::string& path, const TrainConfig& config) {
  const std::string text = "# All settings of this run.\n" + config_text(config);
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

std::string config_hash(const TrainConfig& config) {
  std::string text;
  for (const Setting& setting : settings()) {
    if (setting.scope == SettingScope::kRun) continue;
    text += setting.name + " = " + quoted_if_needed(setting.get(config)) + "\n";
  }
  return sha256_hex(std::as_bytes(std::span(text)));
}

std::vector<std::string> changed_settings(const TrainConfig& before, const TrainConfig& after) {
  std::vector<std::string> changes;
  for (const Setting& setting : settings()) {
    if (setting.scope == SettingScope::kRun) continue;
    const std::string now = setting.get(after);
    const std::string was = setting.get(before);
    if (now != was) changes.push_back(fmt::format("{}: {}, was {}", setting.name, now, was));
  }
  return changes;
}

}  // namespace mrcnn
