#include "models/checkpoint_names.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "models/coco_classes.h"

namespace mrcnn {
namespace {

constexpr const char* kC5 = "maskrcnn_resnet50_c5";
constexpr const char* kFpn = "maskrcnn_resnet50_fpn";
constexpr const char* kFpnV2 = "maskrcnn_resnet50_fpn_v2";

std::ifstream open_list(const std::string& name) {
  std::ifstream file(MRCNN_TEST_DATA "/golden/names/" + name);
  REQUIRE(file.good());
  return file;
}

// "name 64x3x7x7 float32" or "name scalar int64", one a line.
std::vector<NameAndShape> read_list(const std::string& name) {
  std::ifstream file = open_list(name);
  std::vector<NameAndShape> list;
  for (std::string tensor, shape, type; file >> tensor >> shape >> type;) {
    list.push_back({tensor, {}});
    std::istringstream extents(shape == "scalar" ? "" : shape);
    for (std::string extent; std::getline(extents, extent, 'x');) {
      list.back().shape.push_back(std::stoll(extent));
    }
  }
  return list;
}

struct OriginalEntry {
  std::string name, torchvision_key;
  bool copied_with_91 = false, copied_with_others = false;
};

// Tab separated: index, name, shape, role, torchvision index, torchvision key, copied, copied.
std::vector<OriginalEntry> read_original() {
  std::ifstream file = open_list("seed_state_dict.tsv");
  std::vector<OriginalEntry> list;
  std::string line;
  std::getline(file, line);  // the header
  while (std::getline(file, line)) {
    std::istringstream columns(line);
    std::vector<std::string> cells;
    for (std::string cell; std::getline(columns, cell, '\t');) cells.push_back(cell);
    REQUIRE(cells.size() == 8);
    list.push_back({cells[1], cells[5], cells[6] == "yes", cells[7] == "yes"});
  }
  return list;
}

TranslationResult to(const char* model, int64_t num_classes,
                     const std::vector<NameAndShape>& source) {
  const std::optional<Vocabulary> vocabulary = guess_vocabulary(source);
  REQUIRE(vocabulary.has_value());
  return translate(source, *vocabulary, model, expected_tensors(model, num_classes));
}

// Every tensor of the model comes from the tensor of the source at the same place of `origin`.
void check_pairs(const TranslationResult& result, const std::vector<NameAndShape>& source,
                 const std::map<std::string, std::string>& origin) {
  REQUIRE(result.matched.size() == origin.size());
  for (const NameMatch& match : result.matched) {
    INFO(match.target);
    CHECK(origin.at(match.target) == source[match.source].name);
    CHECK(match.rows.empty());
  }
}

TEST_CASE("Each model's own names and shapes are the reference's") {
  CHECK(expected_tensors(kFpn, 91) == read_list("tv_v1_module_keys_new_names.txt"));
  CHECK(expected_tensors(kFpnV2, 91) == read_list("tv_v2_checkpoint_keys.txt"));
  const std::vector<NameAndShape> c5 = expected_tensors(kC5, 91);
  const std::vector<OriginalEntry> original = read_original();
  REQUIRE(c5.size() == 295);
  REQUIRE(original.size() == 295);
  for (size_t i = 0; i < 295; ++i) CHECK(c5[i].name == original[i].name);
}

TEST_CASE("Models, vocabularies and classes are told by the names") {
  const std::vector<NameAndShape> old = read_list("tv_v1_checkpoint_keys_legacy_names.txt");
  CHECK(guess_model(old) == kFpn);
  CHECK(guess_vocabulary(old) == Vocabulary::kTorchvision);
  CHECK(guess_num_classes(old) == 91);
  for (const char* model : {kC5, kFpn, kFpnV2, "maskrcnn_resnet18_fpn"}) {
    const std::vector<NameAndShape> list = expected_tensors(model, 21);
    CHECK(guess_model(list) == model);
    CHECK(guess_num_classes(list) == 21);
    CHECK(to(model, 21, list).complete());
  }
  const std::vector<NameAndShape> unknown = {{"encoder.weight", {3}}};
  CHECK_FALSE(guess_vocabulary(unknown).has_value());
  CHECK(guess_model(unknown).empty());
  CHECK_FALSE(guess_num_classes(unknown).has_value());
}

TEST_CASE("The published v1 file's old names become the new ones, in the same order") {
  const std::vector<NameAndShape> source = read_list("tv_v1_checkpoint_keys_legacy_names.txt");
  const std::vector<NameAndShape> target = read_list("tv_v1_module_keys_new_names.txt");
  const TranslationResult result = to(kFpn, 91, source);
  CHECK(result.complete());
  std::map<std::string, std::string> origin;
  for (size_t i = 0; i < target.size(); ++i) origin[target[i].name] = source[i].name;
  check_pairs(result, source, origin);
}

TEST_CASE("Counters of batch norm are kept where the model has them and dropped elsewhere") {
  CHECK(to(kFpnV2, 91, read_list("tv_v2_checkpoint_keys.txt")).matched.size() == 432);
  std::vector<NameAndShape> with_counters = read_list("tv_v1_module_keys_new_names.txt");
  with_counters.push_back({"backbone.body.bn1.num_batches_tracked", {}});
  const TranslationResult frozen = to(kFpn, 91, with_counters);
  CHECK(frozen.complete());
  CHECK(frozen.dropped == std::vector<size_t>{307});
  std::vector<NameAndShape> without = read_list("tv_v2_checkpoint_keys.txt");
  std::erase_if(without,
                [](const NameAndShape& t) { return t.name.ends_with("num_batches_tracked"); });
  const TranslationResult live = to(kFpnV2, 91, without);
  CHECK(live.complete());
  CHECK(live.matched.size() == 432 - 69);
}

TEST_CASE("The original system takes from the v1 file what its positional loading takes") {
  const std::vector<OriginalEntry> original = read_original();
  for (const int64_t num_classes : {91, 21}) {
    INFO(num_classes, " classes");
    std::map<std::string, std::string> origin;
    for (const OriginalEntry& entry : original) {
      const bool copied = num_classes == 91 ? entry.copied_with_91 : entry.copied_with_others;
      if (copied) origin[entry.name] = entry.torchvision_key;
    }
    CHECK(origin.size() == (num_classes == 91 ? 291 : 285));
    const std::vector<NameAndShape> source = read_list("tv_v1_checkpoint_keys_legacy_names.txt");
    const TranslationResult result = to(kC5, num_classes, source);
    check_pairs(result, source, origin);
    CHECK(result.unexpected.empty());
    CHECK(result.misshaped.empty());
    CHECK(result.missing.size() + result.matched.size() == 295);
    CHECK(result.dropped.size() + result.matched.size() == 307);
    // The new names give the same.
    const TranslationResult renewed =
        to(kC5, num_classes, read_list("tv_v1_module_keys_new_names.txt"));
    CHECK(renewed.matched.size() == result.matched.size());
    CHECK(renewed.missing == result.missing);
  }
}

// The reverse of the table in checkpoint_names.cpp, written independently: torchvision's name in
// detectron2's spelling.
std::string detectron2_name(std::string name) {
  const auto replace = [&](const std::string& from, const std::string& by) {
    const size_t at = name.find(from);
    if (at != std::string::npos) name.replace(at, from.size(), by);
  };
  for (int stage = 1; stage <= 4; ++stage) {
    replace("backbone.body.layer" + std::to_string(stage),
            "backbone.bottom_up.res" + std::to_string(stage + 1));
  }
  replace("backbone.body.conv1", "backbone.bottom_up.stem.conv1");
  replace("backbone.body.bn1", "backbone.bottom_up.stem.conv1.norm");
  for (int k = 1; k <= 3; ++k) {
    replace(".bn" + std::to_string(k) + ".", ".conv" + std::to_string(k) + ".norm.");
  }
  replace("downsample.0", "shortcut");
  replace("downsample.1", "shortcut.norm");
  for (int l = 0; l < 4; ++l) {
    const std::string level = std::to_string(l);
    replace("backbone.fpn.inner_blocks." + level + ".0",
            "backbone.fpn_lateral" + std::to_string(l + 2));
    replace("backbone.fpn.layer_blocks." + level + ".0",
            "backbone.fpn_output" + std::to_string(l + 2));
    replace("mask_head." + level + ".0", "mask_head.mask_fcn" + std::to_string(l + 1));
  }
  replace("rpn.head.conv.0.0", "proposal_generator.rpn_head.conv");
  replace("rpn.head.cls_logits", "proposal_generator.rpn_head.objectness_logits");
  replace("rpn.head.bbox_pred", "proposal_generator.rpn_head.anchor_deltas");
  replace("box_head.fc6", "box_head.fc1");
  replace("box_head.fc7", "box_head.fc2");
  replace("mask_predictor.conv5_mask", "mask_head.deconv");
  replace("mask_predictor.mask_fcn_logits", "mask_head.predictor");
  return name;
}

std::vector<NameAndShape> detectron2_list(int64_t num_classes) {
  std::vector<NameAndShape> list = expected_tensors(kFpn, num_classes + 1);
  for (NameAndShape& tensor : list) {
    tensor.name = detectron2_name(tensor.name);
    const bool is_box = tensor.name.find("box_predictor.bbox_pred") != std::string::npos;
    const bool is_mask = tensor.name.find("mask_head.predictor") != std::string::npos;
    if (is_box) tensor.shape[0] = 4 * num_classes;
    if (is_mask) tensor.shape[0] = num_classes;
  }
  list.push_back({"pixel_mean", {3, 1, 1}});
  list.push_back({"pixel_std", {3, 1, 1}});
  list.push_back({"proposal_generator.anchor_generator.cell_anchors.0", {3, 4}});
  return list;
}

const NameMatch& match_of(const TranslationResult& result, std::string_view target) {
  const auto found = std::find_if(result.matched.begin(), result.matched.end(),
                                  [&](const NameMatch& match) { return match.target == target; });
  REQUIRE(found != result.matched.end());
  return *found;
}

TEST_CASE("detectron2's COCO model gets COCO's category ids, background first") {
  const std::vector<NameAndShape> source = detectron2_list(80);
  CHECK(guess_model(source) == kFpn);
  CHECK(guess_num_classes(source) == 91);
  const TranslationResult result = to(kFpn, 91, source);
  CHECK(result.complete());
  CHECK(result.matched.size() == 307);
  CHECK(result.dropped.size() == 3);
  for (const NameMatch& match : result.matched) {
    CHECK(detectron2_name(match.target) == source[match.source].name);
  }
  const NameMatch& score = match_of(result, "roi_heads.box_predictor.cls_score.bias");
  REQUIRE(score.rows.size() == 91);
  CHECK(score.rows[0] == 80);   // background
  CHECK(score.rows[1] == 0);    // person
  CHECK(score.rows[12] == -1);  // unused
  CHECK(score.rows[13] == 11);  // stop sign
  CHECK(score.rows[90] == 79);  // toothbrush
  CHECK(score.fill < -1000);    // never chosen
  CHECK(std::set<int64_t>(score.rows.begin(), score.rows.end()).size() == 82);
  const NameMatch& box = match_of(result, "roi_heads.box_predictor.bbox_pred.weight");
  REQUIRE(box.rows.size() == 364);
  CHECK(box.rows[0] == -1);
  CHECK(box.rows[4] == 0);
  CHECK(box.rows[4 * 13 + 2] == 4 * 11 + 2);
  CHECK(box.fill == 0);
  const NameMatch& mask = match_of(result, "roi_heads.mask_predictor.mask_fcn_logits.weight");
  REQUIRE(mask.rows.size() == 91);
  CHECK(mask.rows[0] == -1);
  CHECK(mask.rows[90] == 79);
}

TEST_CASE("Another detectron2 model keeps its classes, background first") {
  const std::vector<NameAndShape> source = detectron2_list(3);
  CHECK(guess_num_classes(source) == 4);
  const TranslationResult result = to(kFpn, 4, source);
  CHECK(result.complete());
  const auto rows = [&](const char* name) { return match_of(result, name).rows; };
  CHECK(rows("roi_heads.box_predictor.cls_score.weight") == std::vector<int64_t>{3, 0, 1, 2});
  CHECK(rows("roi_heads.mask_predictor.mask_fcn_logits.bias") == std::vector<int64_t>{-1, 0, 1, 2});
}

TEST_CASE("An ImageNet backbone fills the body and drops its classifier") {
  std::vector<NameAndShape> source;
  for (NameAndShape tensor : expected_tensors(kFpn, 91)) {
    constexpr std::string_view kBody = "backbone.body.";
    if (!tensor.name.starts_with(kBody)) continue;
    tensor.name.erase(0, kBody.size());
    source.push_back(std::move(tensor));
  }
  source.push_back({"fc.weight", {1000, 2048}});
  CHECK(guess_model(source).empty());
  const TranslationResult result = to(kFpn, 91, source);
  CHECK(result.matched.size() == 265);
  CHECK(result.missing.size() == 42);
  CHECK(result.dropped.size() == 1);
  CHECK(result.unexpected.empty());
}

TEST_CASE("Everything that does not fit is reported at once") {
  std::vector<NameAndShape> source = read_list("tv_v1_module_keys_new_names.txt");
  source[0].shape = {64, 3, 3, 3};
  source[1].name = "backbone.body.layer9.strange";
  source.push_back({"rpn.head.conv.weight", {256, 256, 3, 3}});  // the old name of another one
  const TranslationResult result = to(kFpn, 91, source);
  CHECK_FALSE(result.complete());
  REQUIRE(result.misshaped.size() == 1);
  CHECK(result.misshaped[0].target == "backbone.body.conv1.weight");
  CHECK(result.misshaped[0].source_shape == std::vector<int64_t>{64, 3, 3, 3});
  CHECK(result.misshaped[0].target_shape == std::vector<int64_t>{64, 3, 7, 7});
  CHECK(result.missing == std::vector<std::string>{"backbone.body.bn1.weight"});
  CHECK(result.unexpected == std::vector<size_t>{1, 307});
  CHECK(result.matched.size() == 305);
}

TEST_CASE("COCO uses 80 of its 91 class indices") {
  CHECK(coco_class_names().size() == 91);
  int used = 0;
  for (int id = -1; id <= 91; ++id) used += is_coco_class_used(id) ? 1 : 0;
  CHECK(used == 80);
  CHECK(coco_class_names()[1] == "person");
  CHECK(coco_class_names()[90] == "toothbrush");
}

}  // namespace
}  // namespace mrcnn
