#include "tools/conversion.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "models/weight_metadata.h"

namespace mrcnn {
namespace {

// An archive of f32 zeros with these names; all share one buffer.
TensorArchive zeros(const std::vector<NameAndShape>& list) {
  TensorArchive archive;
  size_t largest = 0;
  for (const NameAndShape& entry : list) {
    FileTensor tensor;
    tensor.name = entry.name;
    tensor.shape = entry.shape;
    if (entry.name.ends_with("num_batches_tracked")) tensor.dtype = FileDType::kI64;
    size_t bytes = static_cast<size_t>(file_dtype_bytes(tensor.dtype));
    for (const int64_t extent : entry.shape) bytes *= static_cast<size_t>(extent);
    largest = std::max(largest, bytes);
    archive.tensors.push_back(std::move(tensor));
  }
  const auto buffer = std::make_shared<std::vector<std::byte>>(largest);
  archive.owners.push_back(buffer);
  for (FileTensor& tensor : archive.tensors) {
    size_t bytes = static_cast<size_t>(file_dtype_bytes(tensor.dtype));
    for (const int64_t extent : tensor.shape) bytes *= static_cast<size_t>(extent);
    tensor.bytes = std::span<const std::byte>(*buffer).first(bytes);
  }
  return archive;
}

void set_floats(TensorArchive& archive, std::string_view name, const std::vector<float>& values) {
  const auto copy = std::make_shared<std::vector<float>>(values);
  archive.owners.push_back(copy);
  for (FileTensor& tensor : archive.tensors) {
    if (tensor.name == name) tensor.bytes = std::as_bytes(std::span<const float>(*copy));
  }
}

std::vector<float> floats(const FileTensor* tensor) {
  REQUIRE(tensor != nullptr);
  std::vector<float> values(tensor->bytes.size() / sizeof(float));
  std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  return values;
}

TEST_CASE("Rejects what cannot be told") {
  const TensorArchive unknown = zeros({{"encoder.weight", {3}}});
  CHECK_THROWS_WITH_AS(convert_to_model(unknown, "x.pth", {}),
                       doctest::Contains("no model known here"), FileError);
  const TensorArchive backbone = zeros({{"conv1.weight", {1}}, {"layer1.0.conv1.weight", {1}}});
  CHECK_THROWS_WITH_AS(convert_to_model(backbone, "x.pth", {}), doctest::Contains("--model"),
                       UsageError);
  CHECK_THROWS_WITH_AS(
      convert_to_model(backbone, "x.pth",
                       {.model = "maskrcnn_resnet50_fpn", .num_classes = {}, .bn_eps = {}}),
      doctest::Contains("--classes"), UsageError);
  CHECK_THROWS_AS(
      convert_to_model(backbone, "x.pth", {.model = "resnet99", .num_classes = 2, .bn_eps = {}}),
      UsageError);
}

TEST_CASE("What must travel with the weights is in the metadata") {
  const auto facts = [](const char* model, int64_t classes, const ConversionOptions& options) {
    return convert_to_model(zeros(expected_tensors(model, classes)), "x.pth", options)
        .archive.metadata;
  };
  const auto v1 = facts("maskrcnn_resnet50_fpn", 91, {});
  CHECK(v1.at("model") == "maskrcnn_resnet50_fpn");
  CHECK(v1.at("num_classes") == "91");
  CHECK(v1.at("bn_eps") == "0");
  CHECK(v1.at("pixel_order") == "RGB");
  CHECK(v1.at("pixel_mean") == "0.485,0.456,0.406");
  CHECK(v1.at("class_names").starts_with("[\"__background__\",\"person\","));
  CHECK(facts("maskrcnn_resnet50_fpn", 91, {.model = {}, .num_classes = {}, .bn_eps = "1e-3"})
            .at("bn_eps") == "1e-3");
  CHECK(facts("maskrcnn_resnet50_fpn_v2", 91, {}).at("bn_eps") == "1e-05");
  CHECK(facts("maskrcnn_resnet50_c5", 91, {}).at("bn_eps") == "1e-05");
  CHECK_FALSE(facts("maskrcnn_resnet18_fpn", 4, {}).contains("class_names"));
}

TEST_CASE("Metadata of our own files survives a second conversion") {
  Conversion first = convert_to_model(zeros(expected_tensors("maskrcnn_resnet18_fpn", 3)), "x.pth",
                                      {.model = {}, .num_classes = {}, .bn_eps = "1e-3"});
  first.archive.metadata["class_names"] = "[\"none\",\"cat\",\"dog\"]";
  const Conversion second = convert_to_model(first.archive, "y.safetensors", {});
  CHECK(second.archive.metadata == first.archive.metadata);
  CHECK(second.names.complete());
}

TEST_CASE("Classes of detectron2 are put in order, unused ones can never win") {
  TensorArchive source = zeros({{"backbone.bottom_up.stem.conv1.weight", {64, 3, 7, 7}},
                                {"roi_heads.box_predictor.cls_score.weight", {81, 1024}},
                                {"roi_heads.box_predictor.cls_score.bias", {81}},
                                {"roi_heads.box_predictor.bbox_pred.bias", {320}}});
  std::vector<float> scores(81), boxes(320);
  for (size_t i = 0; i < scores.size(); ++i) scores[i] = static_cast<float>(i);
  for (size_t i = 0; i < boxes.size(); ++i) boxes[i] = static_cast<float>(i);
  set_floats(source, "roi_heads.box_predictor.cls_score.bias", scores);
  set_floats(source, "roi_heads.box_predictor.bbox_pred.bias", boxes);
  const Conversion result = convert_to_model(source, "x.pkl", {});
  CHECK(result.num_classes == 91);
  const std::vector<float> bias =
      floats(result.archive.find("roi_heads.box_predictor.cls_score.bias"));
  REQUIRE(bias.size() == 91);
  CHECK(bias[0] == 80);
  CHECK(bias[1] == 0);
  CHECK(bias[13] == 11);
  CHECK(std::exp(bias[12]) == 0);
  const std::vector<float> box =
      floats(result.archive.find("roi_heads.box_predictor.bbox_pred.bias"));
  CHECK(std::vector<float>(box.begin(), box.begin() + 8) ==
        std::vector<float>{0, 0, 0, 0, 0, 1, 2, 3});
  CHECK(result.archive.metadata.at("pixel_order") == "BGR");
  CHECK(result.archive.metadata.at("stride_in_1x1") == "true");
}

TEST_CASE("The report counts and names everything") {
  std::vector<NameAndShape> list = expected_tensors("maskrcnn_resnet50_fpn", 91);
  list[0].shape = {1};
  list[1].name = "backbone.body.odd";
  const std::string text = convert_to_model(zeros(list), "x.pth", {}).report();
  INFO(text);
  CHECK(text.find("305 matched, 1 missing, 1 mis-shaped, 1 unexpected, 0 not needed") !=
        std::string::npos);
  CHECK(text.find("missing: backbone.body.bn1.weight\n") != std::string::npos);
  CHECK(text.find("backbone.body.conv1.weight: the file has [1], the model [64,3,7,7]\n") !=
        std::string::npos);
  CHECK(text.find("unexpected: backbone.body.odd [64]\n") != std::string::npos);
}

TEST_CASE("Lines of listings and hashes") {
  TensorArchive archive = zeros({{"a.b", {2, 1}}, {"n.num_batches_tracked", {}}});
  CHECK(describe_tensor(archive.tensors[0]) == "f32 [2,1] a.b");
  CHECK(describe_tensor(archive.tensors[1]) == "i64 [] n.num_batches_tracked");
  CHECK(hash_tensors(archive).at(0) ==
        "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc f32 [2,1] a.b");
}

TEST_CASE("Values that are not finite are counted") {
  TensorArchive archive = zeros({{"a", {4}}, {"b", {3}}});
  CHECK(count_non_finite(archive) == 0);
  const float inf = std::numeric_limits<float>::infinity();
  set_floats(archive, "a", {1, -inf, std::nanf(""), 3e38F});
  CHECK(count_non_finite(archive) == 2);
}

}  // namespace
}  // namespace mrcnn
