#include "tools/weight_export.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>

#include "core/error.h"
#include "core/io/safetensors.h"
#include "models/weight_metadata.h"
#include "tests/support/temporary_directory.h"
#include "tools/trainer/checkpoint_file.h"
#include "tools/weights.h"

namespace mrcnn {
namespace {

constexpr const char* kV1 = "maskrcnn_resnet50_fpn";
constexpr const char* kV2 = "maskrcnn_resnet50_fpn_v2";
constexpr const char* kC5 = "maskrcnn_resnet50_c5";

// The first word of each line after `skip` lines; the `column`-th where tabs separate them.
std::vector<std::string> names_in(const std::string& list, char separator = ' ', int column = 0,
                                  int skip = 0) {
  std::ifstream file(MRCNN_TEST_DATA "/golden/names/" + list);
  REQUIRE(file.good());
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (skip-- > 0) continue;
    for (int i = 0; i < column; ++i) line.erase(0, line.find(separator) + 1);
    names.push_back(line.substr(0, line.find(separator)));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> sorted_names(const TensorArchive& archive) {
  std::vector<std::string> names;
  for (const FileTensor& tensor : archive.tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  return names;
}

FileTensor constant(std::string name, std::vector<int64_t> shape, FileDType dtype, uint8_t byte,
                    TensorArchive& archive) {
  FileTensor tensor{
      .name = std::move(name), .dtype = dtype, .shape = std::move(shape), .bytes = {}};
  size_t bytes = static_cast<size_t>(file_dtype_bytes(dtype));
  for (const int64_t extent : tensor.shape) bytes *= static_cast<size_t>(extent);
  const auto buffer = std::make_shared<std::vector<std::byte>>(bytes, std::byte{byte});
  archive.owners.push_back(buffer);
  tensor.bytes = *buffer;
  return tensor;
}

// Weights of `model` with `num_classes`, without counters, of one type.
TensorArchive weights_of(const char* model, int64_t num_classes,
                         FileDType dtype = FileDType::kF32) {
  TensorArchive archive;
  for (const NameAndShape& entry : expected_tensors(model, num_classes)) {
    if (entry.name.ends_with("num_batches_tracked")) continue;
    // 0x3f3f3f3f and 0x3f3f are ordinary numbers.
    archive.tensors.push_back(constant(entry.name, entry.shape, dtype, 0x3f, archive));
  }
  return archive;
}

WeightExport exported(const TensorArchive& source, ExportNames names = ExportNames::kPresent) {
  return export_weights(convert_to_model(source, "x.safetensors", {}), "x.safetensors", names);
}

TEST_CASE("The names are those of the reference's state dict") {
  CHECK(sorted_names(exported(weights_of(kV1, 91)).archive) ==
        names_in("tv_v1_module_keys_new_names.txt"));
  CHECK(sorted_names(exported(weights_of(kV1, 91), ExportNames::kLegacy).archive) ==
        names_in("tv_v1_checkpoint_keys_legacy_names.txt"));
  CHECK(sorted_names(exported(weights_of(kV2, 91)).archive) ==
        names_in("tv_v2_checkpoint_keys.txt"));
  CHECK(sorted_names(exported(weights_of(kC5, 91)).archive) ==
        names_in("seed_state_dict.tsv", '\t', 1, 1));
}

TEST_CASE("Each legacy name is that of its own tensor") {
  const TensorArchive present = exported(weights_of(kV1, 5)).archive;
  const TensorArchive legacy = exported(weights_of(kV1, 5), ExportNames::kLegacy).archive;
  REQUIRE(legacy.tensors.size() == present.tensors.size());
  const Conversion back = convert_to_model(legacy, "x.safetensors", {});
  CHECK(back.names.complete());
  REQUIRE(back.archive.tensors.size() == present.tensors.size());
  for (size_t i = 0; i < present.tensors.size(); ++i) {
    CHECK(back.archive.tensors[i].name == present.tensors[i].name);
    CHECK(legacy.tensors[i].shape == present.tensors[i].shape);
  }
}

TEST_CASE("Counters are kept, and 0 where there are none") {
  TensorArchive source = weights_of(kV2, 3);
  source.tensors.push_back(
      constant("backbone.body.bn1.num_batches_tracked", {}, FileDType::kI64, 1, source));
  const TensorArchive archive = exported(source).archive;
  const auto counter = [&](std::string_view name) {
    const FileTensor* tensor = archive.find(name);
    REQUIRE(tensor != nullptr);
    CHECK(tensor->dtype == FileDType::kI64);
    CHECK(tensor->shape.empty());
    int64_t value = -1;
    REQUIRE(tensor->bytes.size() == sizeof(value));
    std::memcpy(&value, tensor->bytes.data(), sizeof(value));
    return value;
  };
  CHECK(counter("backbone.body.bn1.num_batches_tracked") == 0x0101010101010101);
  CHECK(counter("backbone.body.layer1.0.bn1.num_batches_tracked") == 0);
}

TEST_CASE("Every float is written as f32") {
  const TensorArchive archive =
      exported(weights_of("maskrcnn_resnet18_fpn", 2, FileDType::kBF16)).archive;
  float value = 0;
  for (const FileTensor& tensor : archive.tensors) {
    if (tensor.name.ends_with("num_batches_tracked")) continue;
    REQUIRE(tensor.dtype == FileDType::kF32);
    std::memcpy(&value, tensor.bytes.data(), sizeof(value));
    REQUIRE(value == 0x1.7ep-1F);  // 0x3f3f, widened
  }
  TensorArchive wrong = weights_of("maskrcnn_resnet18_fpn", 2);
  wrong.tensors[0].dtype = FileDType::kI32;
  CHECK_THROWS_WITH_AS(exported(wrong),
                       "x.safetensors: backbone.body.conv1.weight: holds I32, a floating type is "
                       "needed",
                       FileError);
}

TEST_CASE("The file reads back as the same weights, and says that it is for PyTorch") {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "out.safetensors";
  TensorArchive source = weights_of("maskrcnn_resnet18_fpn", 2);
  source.metadata = weight_metadata(Vocabulary::kTorchvision, "maskrcnn_resnet18_fpn", 2);
  source.metadata["pixel_mean"] = "0.5,0.25,0.125";
  write_safetensors(path, exported(source).archive);
  const TensorArchive read = read_weights(path);
  CHECK(read.metadata.at("format") == "pt");
  const Conversion again = convert_to_model(read, path, {});
  CHECK(again.names.complete());
  CHECK(again.archive.metadata.at("pixel_mean") == "0.5,0.25,0.125");
}

TEST_CASE("Of a checkpoint the weights are written, the running mean where there is one") {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "checkpoint-000000001.safetensors";
  std::vector<StateTensor> state;
  std::map<std::string, std::string> metadata =
      weight_metadata(Vocabulary::kTorchvision, "maskrcnn_resnet18_fpn", 2);
  for (const NameAndShape& entry : expected_tensors("maskrcnn_resnet18_fpn", 2)) {
    if (entry.name.ends_with("num_batches_tracked")) continue;
    const Shape shape{std::span<const int64_t>(entry.shape)};
    const Tensor zeros = Tensor::zeros(shape);
    state.push_back(state_tensor(entry.name, zeros));
    state.push_back(state_tensor("optimizer/momentum/" + entry.name, zeros));
  }
  state.push_back(state_tensor("ema/backbone.body.bn1.bias",
                               Tensor::from<float>(std::vector<float>(64, 2.0F), {64})));
  write_checkpoint(path, metadata, state);
  const TensorArchive archive = exported(read_weights(path)).archive;
  CHECK(archive.tensors.size() == expected_tensors("maskrcnn_resnet18_fpn", 2).size());
  float value = 0;
  std::memcpy(&value, archive.find("backbone.body.bn1.bias")->bytes.data(), sizeof(value));
  CHECK(value == 2);
  for (const auto& [key, text] : archive.metadata) CHECK_FALSE(key.starts_with("train/"));
}

TEST_CASE("Notes say what else the reference's model needs to compute the same") {
  TensorArchive source = weights_of(kV1, 2);
  source.metadata = weight_metadata(Vocabulary::kTorchvision, kV1, 2);
  REQUIRE(exported(source).notes.size() == 1);
  CHECK(exported(source).notes[0].find("m.eps = 0") != std::string::npos);
  source.metadata["bn_eps"] = "1e-05";
  CHECK(exported(source).notes.empty());
  source.metadata["pixel_mean"] = "0.5,0.25,0.125";
  REQUIRE(exported(source).notes.size() == 1);
  CHECK(exported(source).notes[0].find("image_mean=[0.5, 0.25, 0.125]") != std::string::npos);
  source.metadata["min_size"] = "480";
  REQUIRE(exported(source).notes.size() == 2);
  CHECK(exported(source).notes[1].find("min_size=480, max_size=1333") != std::string::npos);
}

TEST_CASE("Rejects what no reference can load") {
  TensorArchive source = weights_of(kV1, 2);
  source.metadata = weight_metadata(Vocabulary::kDetectron2, kV1, 2);
  CHECK_THROWS_WITH_AS(exported(source),
                       doctest::Contains("BGR pixels, pixels divided by 1, strides in the 1x1 "
                                         "convolutions, another RoIAlign, anchors rounded"),
                       FileError);
  TensorArchive incomplete = weights_of(kV1, 2);
  incomplete.tensors.pop_back();
  CHECK_THROWS_WITH_AS(exported(incomplete), doctest::Contains("all tensors or none"), FileError);
  CHECK_THROWS_WITH_AS(exported(weights_of(kV2, 2), ExportNames::kLegacy),
                       doctest::Contains("no older names for maskrcnn_resnet50_fpn_v2"),
                       UsageError);
  CHECK_THROWS_AS(exported(weights_of(kC5, 2), ExportNames::kLegacy), UsageError);
}

}  // namespace
}  // namespace mrcnn
