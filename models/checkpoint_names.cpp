#include "models/checkpoint_names.h"

#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "models/coco_classes.h"
#include "models/name_pattern.h"

namespace mrcnn {
namespace {

constexpr std::string_view kC5 = "maskrcnn_resnet50_c5";
constexpr std::string_view kFpnV2 = "maskrcnn_resnet50_fpn_v2";
constexpr std::string_view kCounter = ".num_batches_tracked";

// The published v1 file has the names of torchvision before 0.13. Source: torchvision 0.14,
// _load_from_state_dict of FeaturePyramidNetwork, RPNHead and MaskRCNNHeads.
constexpr NameRule kOldTorchvision[] = {
    {"backbone.fpn.inner_blocks.#.weight", "backbone.fpn.inner_blocks.{0}.0.weight"},
    {"backbone.fpn.inner_blocks.#.bias", "backbone.fpn.inner_blocks.{0}.0.bias"},
    {"backbone.fpn.layer_blocks.#.weight", "backbone.fpn.layer_blocks.{0}.0.weight"},
    {"backbone.fpn.layer_blocks.#.bias", "backbone.fpn.layer_blocks.{0}.0.bias"},
    {"rpn.head.conv.weight", "rpn.head.conv.0.0.weight"},
    {"rpn.head.conv.bias", "rpn.head.conv.0.0.bias"},
    {"roi_heads.mask_head.mask_fcn#.*", "roi_heads.mask_head.{0-1}.0.*"},
    {"*", "*"},
};

// The way back.
constexpr NameRule kToOldTorchvision[] = {
    {"backbone.fpn.inner_blocks.#.0.*", "backbone.fpn.inner_blocks.{0}.*"},
    {"backbone.fpn.layer_blocks.#.0.*", "backbone.fpn.layer_blocks.{0}.*"},
    {"rpn.head.conv.0.0.*", "rpn.head.conv.*"},
    {"roi_heads.mask_head.#.0.*", "roi_heads.mask_head.mask_fcn{0+1}.*"},
    {"*", "*"},
};

constexpr NameRule kBackboneOnly[] = {
    {"fc.*", ""},
    {"*", "backbone.body.*"},
};

// The original system takes torchvision's v1 file by position. These names give the same pairs;
// its RPN outputs have 9 anchors instead of 3 and start untrained.
constexpr NameRule kTorchvisionToOriginal[] = {
    {"backbone.body.*", "backbone.body.*"},
    {"backbone.fpn.inner_blocks.3.0.*", "backbone.inner_block_module.*"},
    {"backbone.fpn.layer_blocks.3.0.*", "backbone.layer_block_module.*"},
    {"backbone.fpn.inner_blocks.#.0.*", ""},
    {"backbone.fpn.layer_blocks.#.0.*", ""},
    {"rpn.head.conv.0.0.*", "rpn.head.conv.*"},
    {"rpn.head.cls_logits.*", ""},
    {"rpn.head.bbox_pred.*", ""},
    {"roi_heads.box_head.fc6.*", "head.box_predictor.fc1.*"},
    {"roi_heads.box_head.fc7.*", "head.box_predictor.fc2.*"},
    {"roi_heads.box_predictor.*", "head.box_predictor.*"},
    {"roi_heads.mask_head.#.0.*", "head.mask_predictor.mask_fcn{0+1}.*"},
    {"roi_heads.mask_predictor.conv5_mask.*", "head.mask_predictor.mask_conv5.*"},
    {"roi_heads.mask_predictor.mask_fcn_logits.*", "head.mask_predictor.mask_fcn_logits.*"},
};

// detectron2 0.6, model zoo, COCO-InstanceSegmentation/mask_rcnn_R_50_FPN.
constexpr NameRule kDetectron2[] = {
    {"backbone.bottom_up.stem.conv1.norm.*", "backbone.body.bn1.*"},
    {"backbone.bottom_up.stem.conv1.weight", "backbone.body.conv1.weight"},
    {"backbone.bottom_up.res#.#.conv#.norm.*", "backbone.body.layer{0-1}.{1}.bn{2}.*"},
    {"backbone.bottom_up.res#.#.conv#.weight", "backbone.body.layer{0-1}.{1}.conv{2}.weight"},
    {"backbone.bottom_up.res#.#.shortcut.norm.*", "backbone.body.layer{0-1}.{1}.downsample.1.*"},
    {"backbone.bottom_up.res#.#.shortcut.weight",
     "backbone.body.layer{0-1}.{1}.downsample.0.weight"},
    {"backbone.fpn_lateral#.*", "backbone.fpn.inner_blocks.{0-2}.0.*"},
    {"backbone.fpn_output#.*", "backbone.fpn.layer_blocks.{0-2}.0.*"},
    {"proposal_generator.rpn_head.conv.*", "rpn.head.conv.0.0.*"},
    {"proposal_generator.rpn_head.objectness_logits.*", "rpn.head.cls_logits.*"},
    {"proposal_generator.rpn_head.anchor_deltas.*", "rpn.head.bbox_pred.*"},
    {"roi_heads.box_head.fc1.*", "roi_heads.box_head.fc6.*"},
    {"roi_heads.box_head.fc2.*", "roi_heads.box_head.fc7.*"},
    {"roi_heads.box_predictor.*", "roi_heads.box_predictor.*"},
    {"roi_heads.mask_head.mask_fcn#.*", "roi_heads.mask_head.{0-1}.0.*"},
    {"roi_heads.mask_head.deconv.*", "roi_heads.mask_predictor.conv5_mask.*"},
    {"roi_heads.mask_head.predictor.*", "roi_heads.mask_predictor.mask_fcn_logits.*"},
    {"proposal_generator.anchor_generator.cell_anchors.*", ""},
    {"pixel_mean", ""},
    {"pixel_std", ""},
};

const NameAndShape* find(const std::vector<NameAndShape>& source, std::string_view name) {
  const auto found = std::find_if(source.begin(), source.end(),
                                  [&](const NameAndShape& entry) { return entry.name == name; });
  return found == source.end() ? nullptr : &*found;
}

bool has_prefix(const std::vector<NameAndShape>& source, std::string_view prefix) {
  return std::any_of(source.begin(), source.end(),
                     [&](const NameAndShape& entry) { return entry.name.starts_with(prefix); });
}

// The name in the model; "" if it is known and of no use; nothing if it is unknown.
std::optional<std::string> target_name(std::string_view name, Vocabulary vocabulary,
                                       std::string_view model) {
  if (vocabulary == Vocabulary::kOriginal) return std::string(name);
  if (vocabulary == Vocabulary::kDetectron2) return rename_by_rules(name, kDetectron2);
  if (vocabulary == Vocabulary::kTorchvisionBackbone) return rename_by_rules(name, kBackboneOnly);
  const std::optional<std::string> current = rename_by_rules(name, kOldTorchvision);
  return model == kC5 && current ? rename_by_rules(*current, kTorchvisionToOriginal) : current;
}

constexpr int64_t kDetectron2CocoClasses = 80;
constexpr int64_t kMostClasses = 100'000;  // more is a damaged shape

// Which class of detectron2 each class of ours is, -1 for none; its background follows its classes.
std::vector<int64_t> detectron2_classes(int64_t num_source_classes) {
  std::vector<int64_t> order = {num_source_classes};
  if (num_source_classes != kDetectron2CocoClasses) {
    for (int64_t i = 0; i < num_source_classes; ++i) order.push_back(i);
    return order;
  }
  int64_t next = 0;
  for (size_t id = 1; id < coco_class_names().size(); ++id) {
    order.push_back(is_coco_class_used(static_cast<int>(id)) ? next++ : -1);
  }
  return order;
}

// Score of a class that COCO does not use: its probability is exactly 0 in f32.
constexpr float kUnusedClassScore = -1e4F;

// detectron2's per-class rows in our order. Boxes and masks have no rows for the background.
void reorder_classes(const NameAndShape& source, NameMatch& match) {
  const bool is_score = match.target.find(".cls_score.") != std::string::npos;
  const bool is_box = match.target.starts_with("roi_heads.box_predictor.bbox_pred.");
  const bool is_mask = match.target.find(".mask_fcn_logits.") != std::string::npos;
  if (source.shape.empty() || (!is_score && !is_box && !is_mask)) return;
  const int64_t rows_per_class = is_box ? 4 : 1;
  const int64_t num_classes = source.shape[0] / rows_per_class - (is_score ? 1 : 0);
  if (num_classes < 1 || num_classes > kMostClasses) return;
  for (const int64_t from : detectron2_classes(num_classes)) {
    const bool is_filled = from < 0 || (!is_score && from == num_classes);
    for (int64_t row = 0; row < rows_per_class; ++row) {
      match.rows.push_back(is_filled ? -1 : from * rows_per_class + row);
    }
  }
  if (is_score && match.target.ends_with(".bias")) match.fill = kUnusedClassScore;
}

bool is_class_row(std::string_view target) {
  return target.find(".cls_score.") != target.npos ||
         target.find(".mask_fcn_logits.") != target.npos ||
         target.find("box_predictor.bbox_pred.") != target.npos;
}

class Translator {
 public:
  Translator(const std::vector<NameAndShape>& source, std::string_view model,
             const std::vector<NameAndShape>& expected, Vocabulary vocabulary)
      : source_(source), model_(model), expected_(expected) {
    result_.vocabulary = vocabulary;
    for (size_t i = 0; i < expected.size(); ++i) index_.emplace(expected[i].name, i);
    matches_.resize(expected.size());
  }

  TranslationResult run() {
    for (size_t i = 0; i < source_.size(); ++i) place(i);
    for (size_t i = 0; i < expected_.size(); ++i) finish(i);
    return std::move(result_);
  }

 private:
  void place(size_t source) {
    const std::string& name = source_[source].name;
    const std::optional<std::string> target = target_name(name, result_.vocabulary, model_);
    const auto found = target ? index_.find(*target) : index_.end();
    const bool is_surplus_counter = name.ends_with(kCounter) && found == index_.end();
    if ((target && target->empty()) || is_surplus_counter) {
      result_.dropped.push_back(source);
    } else if (found == index_.end() || matches_[found->second]) {
      result_.unexpected.push_back(source);
    } else {
      NameMatch match{.target = *target, .source = source, .rows = {}, .fill = 0};
      if (result_.vocabulary == Vocabulary::kDetectron2) reorder_classes(source_[source], match);
      matches_[found->second] = std::move(match);
    }
  }

  void finish(size_t i) {
    const NameAndShape& wanted = expected_[i];
    if (!matches_[i]) {
      if (!wanted.name.ends_with(kCounter)) result_.missing.push_back(wanted.name);
      return;
    }
    NameMatch& match = *matches_[i];
    std::vector<int64_t> shape = source_[match.source].shape;
    if (!match.rows.empty()) shape[0] = static_cast<int64_t>(match.rows.size());
    if (shape == wanted.shape) {
      result_.matched.push_back(std::move(match));
      return;
    }
    // The original system starts its class layers untrained when the classes are others.
    const bool starts_untrained = model_ == kC5 && result_.vocabulary == Vocabulary::kTorchvision &&
                                  is_class_row(wanted.name);
    if (starts_untrained) {
      result_.dropped.push_back(match.source);
      result_.missing.push_back(wanted.name);
    } else {
      result_.misshaped.push_back({wanted.name, match.source, std::move(shape), wanted.shape});
    }
  }

  const std::vector<NameAndShape>& source_;
  std::string_view model_;
  const std::vector<NameAndShape>& expected_;
  std::unordered_map<std::string_view, size_t> index_;
  std::vector<std::optional<NameMatch>> matches_;  // by index of expected_
  TranslationResult result_;
};

}  // namespace

std::string_view vocabulary_name(Vocabulary vocabulary) {
  switch (vocabulary) {
    case Vocabulary::kTorchvision:
      return "torchvision";
    case Vocabulary::kTorchvisionBackbone:
      return "torchvision backbone";
    case Vocabulary::kOriginal:
      return "original system";
    case Vocabulary::kDetectron2:
      return "detectron2";
  }
  return "";
}

std::optional<Vocabulary> guess_vocabulary(const std::vector<NameAndShape>& source) {
  if (has_prefix(source, "backbone.bottom_up.")) return Vocabulary::kDetectron2;
  if (has_prefix(source, "head.box_predictor.")) return Vocabulary::kOriginal;
  if (has_prefix(source, "backbone.body.")) return Vocabulary::kTorchvision;
  if (find(source, "conv1.weight") != nullptr && has_prefix(source, "layer1.0.")) {
    return Vocabulary::kTorchvisionBackbone;
  }
  return std::nullopt;
}

std::string guess_model(const std::vector<NameAndShape>& source) {
  const std::optional<Vocabulary> vocabulary = guess_vocabulary(source);
  if (!vocabulary) return "";
  if (*vocabulary == Vocabulary::kOriginal) return std::string(kC5);
  if (*vocabulary == Vocabulary::kDetectron2) return "maskrcnn_resnet50_fpn";
  if (*vocabulary == Vocabulary::kTorchvisionBackbone) return "";
  if (has_prefix(source, "rpn.head.conv.1.") || has_prefix(source, "roi_heads.box_head.5.")) {
    return std::string(kFpnV2);
  }
  const bool is_bottleneck = find(source, "backbone.body.layer1.0.conv3.weight") != nullptr;
  return is_bottleneck ? "maskrcnn_resnet50_fpn" : "maskrcnn_resnet18_fpn";
}

std::optional<int64_t> guess_num_classes(const std::vector<NameAndShape>& source) {
  for (const char* name :
       {"roi_heads.box_predictor.cls_score.weight", "head.box_predictor.cls_score.weight"}) {
    const NameAndShape* score = find(source, name);
    if (score == nullptr || score->shape.empty()) continue;
    const int64_t rows = score->shape[0];
    const bool is_detectron2_coco =
        guess_vocabulary(source) == Vocabulary::kDetectron2 && rows == kDetectron2CocoClasses + 1;
    return is_detectron2_coco ? static_cast<int64_t>(coco_class_names().size()) : rows;
  }
  return std::nullopt;
}

TranslationResult translate(const std::vector<NameAndShape>& source, Vocabulary vocabulary,
                            std::string_view model, const std::vector<NameAndShape>& expected) {
  return Translator(source, model, expected, vocabulary).run();
}

std::string legacy_torchvision_name(std::string_view name, std::string_view model) {
  if (model == kC5 || model == kFpnV2) {
    throw UsageError("torchvision has no older names for " + std::string(model));
  }
  return rename_by_rules(name, kToOldTorchvision).value();
}

}  // namespace mrcnn
