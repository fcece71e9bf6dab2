#include "tools/trainer/evaluation_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/error.h"
#include "data/image/image.h"
#include "data/image/write.h"
#include "models/mask_rcnn/training.h"
#include "tools/command_line.h"
#include "tools/draw/found_object.h"
#include "tools/draw/overlay.h"
#include "tools/trainer/setting.h"

namespace mrcnn {
namespace {

constexpr int64_t kNumPictures = 4;
constexpr float kLeastScore = 0.5F;  // of what is drawn

std::string lower(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return result;
}

std::string name_of(const Dataset& dataset, int64_t label) {
  for (const DatasetClass& one : dataset.classes()) {
    if (one.label == label) return one.name;
  }
  return std::to_string(label);
}

Tensor draw_found(const MaskRcnn& model, const Dataset& dataset, const Tensor& pixels) {
  const Instances found = model.detect(std::span(&pixels, 1)).front();
  std::vector<Rle> masks = encode_masks(found, model.config());
  std::vector<OverlayItem> items;
  for (int64_t i = 0; i < found.size(); ++i) {
    if (found.scores.data<const float>()[i] < kLeastScore) continue;
    const std::string name = name_of(dataset, found.labels.data<const int64_t>()[i]);
    items.push_back(found_object(found, i, std::move(masks[static_cast<size_t>(i)]), name));
  }
  return draw_overlay(pixels, items);
}

Tensor draw_annotated(const Dataset& dataset, int64_t index, const Tensor& pixels) {
  std::vector<OverlayItem> items;
  for (DatasetObject& object : dataset.objects(index)) {
    OverlayItem item;
    item.mask = std::move(object.mask);
    for (size_t e = 0; e < 4; ++e) item.box[e] = static_cast<float>(object.box[e]);
    item.label = object.label;
    item.text = name_of(dataset, object.label);
    items.push_back(std::move(item));
  }
  return draw_overlay(pixels, items);
}

// One above the other.
Tensor stacked(const Tensor& top, const Tensor& bottom) {
  Tensor both = Tensor::empty({top.size(0) + bottom.size(0), top.size(1), 3}, DType::kU8);
  std::copy_n(top.data<const uint8_t>(), top.numel(), both.data<uint8_t>());
  std::copy_n(bottom.data<const uint8_t>(), bottom.numel(), both.data<uint8_t>() + top.numel());
  return both;
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

void add_sample_pictures(const MaskRcnn& model, const Dataset& dataset, int64_t step,
                         EventFile& events) {
  for (int64_t i = 0; i < std::min(kNumPictures, dataset.size()); ++i) {
    Tensor pixels;
    try {
      pixels = load_image(dataset.image(i).path, {.exif = ExifPolicy::kIgnore}).pixels;
    } catch (const FileError&) {
      continue;  // the evaluation says so
    }
    const Tensor picture =
        stacked(draw_annotated(dataset, i, pixels), draw_found(model, dataset, pixels));
    const std::vector<std::byte> encoded = encode_jpeg(picture);
    events.image(step, fmt::format("annotated_and_found/{}", i), picture.size(0), picture.size(1),
                 encoded);
  }
}

}  // namespace mrcnn
