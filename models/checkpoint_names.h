// Translates the names of published checkpoints into those of our models. Knows names and shapes
// only; files are read elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/expected_tensors.h"

namespace mrcnn {

// Who named the tensors.
enum class Vocabulary {
  kTorchvision,          // v1 with its new or old names, v2, and ours with an FPN
  kTorchvisionBackbone,  // an ImageNet ResNet alone
  kOriginal,             // the original system, one level at stride 32
  kDetectron2,           // R50-FPN: stride in the 1x1 convolution, background class last
};

std::string_view vocabulary_name(Vocabulary vocabulary);

// Nothing if the names are of no known kind.
std::optional<Vocabulary> guess_vocabulary(const std::vector<NameAndShape>& source);

// The model that a checkpoint belongs to; "" if its names do not tell.
std::string guess_model(const std::vector<NameAndShape>& source);

// Number of classes of the model that the checkpoint makes, background included; nothing if it has
// no class scores. 80 classes of detectron2 become COCO's 91 category ids.
std::optional<int64_t> guess_num_classes(const std::vector<NameAndShape>& source);

struct NameMatch {
  std::string target;
  size_t source = 0;  // index into the source
  // Row of the source for each row of the target, -1 for a row of `fill`. Empty: all, in order.
  std::vector<int64_t> rows;
  float fill = 0;
};

struct ShapeMismatch {
  std::string target;
  size_t source = 0;
  std::vector<int64_t> source_shape;  // after choosing rows
  std::vector<int64_t> target_shape;
};

struct TranslationResult {
  Vocabulary vocabulary = Vocabulary::kTorchvision;
  std::vector<NameMatch> matched;    // in the order of the model
  std::vector<std::string> missing;  // of the model, not in the source (counters excepted)
  std::vector<ShapeMismatch> misshaped;
  std::vector<size_t> unexpected;  // of the source, unknown
  std::vector<size_t> dropped;     // of the source, known and of no use for this model

  bool complete() const { return missing.empty() && misshaped.empty() && unexpected.empty(); }
};

// `expected` is the list of the model (expected_tensors).
TranslationResult translate(const std::vector<NameAndShape>& source, Vocabulary vocabulary,
                            std::string_view model, const std::vector<NameAndShape>& expected);

// What torchvision called a tensor of our model before 0.13. Throws UsageError for a model that it
// did not have then.
std::string legacy_torchvision_name(std::string_view name, std::string_view model);

}  // namespace mrcnn
