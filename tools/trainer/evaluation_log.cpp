#include "tools/trainer/evaluation_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/error.h"
#include "data/image/write.h"
#include "models/mask_rcnn/training.h"
#include "tools/command_line.h"
#include "tools/trainer/setting.h"

namespace mrcnn {
namespace {

std::string lower(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return result;
}

}  // namespace

std::map<std::string, double> metrics_of(const ModelEvaluation& evaluation) {
  std::map<std::string, double> metrics;
  for (size_t i = 0; i < kCocoMetrics.size(); ++i) {
    metrics["box_" + lower(kCocoMetrics[i])] = evaluation.box.values[i];
    metrics["mask_" + lower(kCocoMetrics[i])] = evaluation.mask.values[i];
  }
  return metrics;
}

std::string metrics_text(const std::map<std::string, double>& metrics) {
  return fmt::format("box AP {:.3f}, AP50 {:.3f}; mask AP {:.3f}, AP50 {:.3f}",
                     metrics.at("box_ap"), metrics.at("box_ap50"), metrics.at("mask_ap"),
                     metrics.at("mask_ap50"));
}

void check_metric_name(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [known, value] : metrics_of({})) names.push_back(known);
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  const std::string near = nearest_word(name, names);
  throw UsageError(fmt::format("best_metric: there is no '{}'; {}", name,
                               near.empty() ? fmt::format("known are {}", join_words(names))
                                            : fmt::format("did you mean '{}'?", near)));
}

std::vector<std::string> log_columns() {
  std::vector<std::string> columns{"loss"};
  for (const std::string_view name : kLossNames) columns.push_back("loss_" + std::string(name));
  columns.insert(columns.end(), {"lr", "images_per_s"});
  for (const auto& [name, value] : metrics_of({})) columns.push_back(name);
  return columns;
}

void add_sample_pictures(std::span<const SamplePicture> samples, int64_t step, EventFile& events) {
  for (const SamplePicture& sample : samples) {
    events.image(step, fmt::format("annotated_and_found/{}", sample.index), sample.pixels.size(0),
                 sample.pixels.size(1), encode_jpeg(sample.pixels));
  }
}

}  // namespace mrcnn
