#include "tools/trainer/train_facts.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "tools/trainer/checkpoint_format.h"

namespace mrcnn {
namespace {

constexpr std::string_view kStep = "train/step";
constexpr std::string_view kEpoch = "train/epoch";
constexpr std::string_view kSamplerPosition = "train/sampler_position";
constexpr std::string_view kSeed = "train/seed";
constexpr std::string_view kSchedule = "train/schedule";
constexpr std::string_view kDataFingerprint = "train/data_fingerprint";
constexpr std::string_view kConfig = "train/config";
constexpr std::string_view kConfigHash = "train/config_hash";
constexpr std::string_view kHistory = "train/history";
constexpr std::string_view kElapsed = "train/elapsed_s";
constexpr std::string_view kBestMetric = "train/best_metric";
constexpr std::string_view kBestStep = "train/best_step";
constexpr std::string_view kMetric = "train/metric/";
constexpr const char* kLrScale = "lr_scale";  // among the extra ones
constexpr std::string_view kExtra = "train/extra/";

class Reader {
 public:
  Reader(const std::map<std::string, std::string>& metadata, const std::string& path)
      : metadata_(metadata), path_(path) {}

  const std::string& text(std::string_view key) const {
    const auto found = metadata_.find(std::string(key));
    if (found == metadata_.end()) fail(key, "is missing");
    return found->second;
  }

  template <typename T>
  T number(std::string_view key) const {
    return parse<T>(key, text(key));
  }

  template <typename T>
  T parse(std::string_view key, const std::string& digits) const {
    T value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) {
      fail(key, fmt::format("'{}' is not a number", digits));
    }
    return value;
  }

  int64_t count(std::string_view key) const {
    const auto value = number<int64_t>(key);
    if (value < 0) fail(key, fmt::format("{} is below 0", value));
    return value;
  }

 private:
  [[noreturn]] void fail(std::string_view key, const std::string& problem) const {
    throw FileError(ExitCode::kModel, path_, fmt::format("metadata {}", key), problem);
  }

  const std::map<std::string, std::string>& metadata_;
  const std::string& path_;
};

}  // namespace

void set_lr_scale(TrainFacts& facts, double scale) {
  if (scale != 1) facts.extra[kLrScale] = fmt::format("{}", scale);
}

double lr_scale_of(const TrainFacts& facts) {
  const auto found = facts.extra.find(kLrScale);
  return found == facts.extra.end() ? 1.0 : std::strtod(found->second.c_str(), nullptr);
}

std::map<std::string, std::string> facts_to_metadata(const TrainFacts& facts) {
  std::map<std::string, std::string> metadata = facts.model;
  const auto set = [&metadata](std::string_view key, const auto& value) {
    metadata[std::string(key)] = fmt::format("{}", value);
  };
  set(kStep, facts.step);
  set(kEpoch, facts.epoch);
  set(kSamplerPosition, facts.sampler_position);
  set(kSeed, facts.seed);
  set(kSchedule, facts.schedule);
  set(kDataFingerprint, facts.data_fingerprint);
  set(kConfig, facts.config);
  set(kConfigHash, facts.config_hash);
  set(kHistory, facts.history);
  set(kElapsed, facts.elapsed_s);
  set(kBestStep, facts.best_step);
  if (facts.best_metric) set(kBestMetric, *facts.best_metric);
  for (const auto& [name, value] : facts.metrics) set(std::string(kMetric) + name, value);
  for (const auto& [name, value] : facts.extra) set(std::string(kExtra) + name, value);
  return metadata;
}

TrainFacts facts_from_metadata(const std::map<std::string, std::string>& metadata,
                               const std::string& path) {
  const Reader reader(metadata, path);
  TrainFacts facts;
  facts.step = reader.count(kStep);
  facts.epoch = reader.count(kEpoch);
  facts.sampler_position = reader.count(kSamplerPosition);
  facts.seed = reader.number<uint64_t>(kSeed);
  facts.schedule = reader.text(kSchedule);
  facts.data_fingerprint = reader.text(kDataFingerprint);
  facts.config = reader.text(kConfig);
  facts.config_hash = reader.text(kConfigHash);
  facts.history = reader.text(kHistory);
  facts.elapsed_s = reader.number<double>(kElapsed);
  facts.best_step = reader.count(kBestStep);
  for (const auto& [key, value] : metadata) {
    if (key == kBestMetric) {
      facts.best_metric = reader.parse<double>(key, value);
    } else if (key.starts_with(kMetric)) {
      facts.metrics.emplace(key.substr(kMetric.size()), reader.parse<double>(key, value));
    } else if (key.starts_with(kExtra)) {
      facts.extra.emplace(key.substr(kExtra.size()), value);
    } else if (!key.starts_with(checkpoint_key::kPrefix)) {
      facts.model.emplace(key, value);
    }
  }
  return facts;
}

}  // namespace mrcnn
