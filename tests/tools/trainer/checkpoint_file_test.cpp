#include "tools/trainer/checkpoint_file.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "core/io/safetensors.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/trainer/checkpoint_maker.h"
#include "tools/weights.h"

namespace mrcnn::test {
namespace {

// The message of the error that reading gives; "" if there is none.
std::string damage(const std::string& path) {
  try {
    read_checkpoint(path);
  } catch (const FileError& error) {
    return error.exit_code() == ExitCode::kModel ? error.what() : "wrong exit code";
  }
  return "";
}

std::string damage_of(const std::string& bytes) {
  const auto copy = std::make_shared<std::vector<std::byte>>(bytes.size());
  if (!bytes.empty()) std::memcpy(copy->data(), bytes.data(), bytes.size());
  try {
    parse_checkpoint({*copy, copy}, "checkpoint");
  } catch (const FileError& error) {
    return error.exit_code() == ExitCode::kModel ? error.what() : "wrong exit code";
  }
  return "";
}

struct Written {
  Written() : path(folder / checkpoint_name(7)) {
    size = write_checkpoint(path, facts_to_metadata(small_facts(7)), small_state(7, true));
    bytes = read_text(path);
  }
  void replace(const std::string& content) const { folder.write(checkpoint_name(7), content); }
  TemporaryDirectory folder;
  std::string path;
  int64_t size = 0;
  std::string bytes;
};

std::vector<float> values(const FileTensor& tensor) {
  std::vector<float> list(tensor.bytes.size() / sizeof(float));
  std::memcpy(list.data(), tensor.bytes.data(), tensor.bytes.size());
  return list;
}

TEST_CASE("A checkpoint reads back, and is a safetensors file like any other") {
  const Written file;
  CHECK(file.size == static_cast<int64_t>(file.bytes.size()));
  const TensorArchive archive = read_checkpoint(file.path);
  CHECK(archive.tensors.size() == 4);
  CHECK(is_checkpoint(archive));
  const FileTensor* weight = archive.find("backbone.weight");
  REQUIRE(weight != nullptr);
  CHECK(weight->shape == std::vector<int64_t>{2, 3, 4});
  CHECK(values(*weight)[23] == 7 + 11.5F);
  CHECK(tensor_of(*weight).shape() == Shape{2, 3, 4});
  CHECK(tensor_of(*weight).data<float>()[1] == 7.5F);
  const TrainFacts facts = facts_from_metadata(archive.metadata, file.path);
  CHECK(facts_to_metadata(facts) == facts_to_metadata(small_facts(7)));
  CHECK(facts.seed == small_facts(7).seed);
  CHECK(facts.metrics.at("mask_ap") == small_facts(7).metrics.at("mask_ap"));
  CHECK(facts.extra == small_facts(7).extra);
  CHECK(facts.model == small_facts(7).model);
  CHECK(read_safetensors(file.path).tensors.size() == 4);
  CHECK_FALSE(std::filesystem::exists(file.folder / "x"));
}

TEST_CASE("The same state gives the same bytes") {
  const Written first;
  const Written second;
  CHECK(first.bytes == second.bytes);
}

TEST_CASE("Every flipped bit is found") {
  const Written file;
  for (size_t bit = 0; bit < 8 * file.bytes.size(); ++bit) {
    std::string flipped = file.bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    INFO("bit ", bit);
    REQUIRE_FALSE(damage_of(flipped).empty());
  }
}

TEST_CASE("Every truncation, every zeroed block and every appended byte is found") {
  const Written file;
  for (size_t length = 0; length < file.bytes.size(); ++length) {
    INFO("length ", length);
    REQUIRE_FALSE(damage_of(file.bytes.substr(0, length)).empty());
  }
  constexpr size_t kBlock = 32;
  for (size_t at = 0; at < file.bytes.size(); at += kBlock) {
    std::string zeroed = file.bytes;
    const size_t count = std::min(kBlock, zeroed.size() - at);
    zeroed.replace(at, count, count, '\0');
    INFO("block at ", at);
    REQUIRE((zeroed == file.bytes || !damage_of(zeroed).empty()));
  }
  CHECK_FALSE(damage_of(file.bytes + '\0').empty());
  CHECK(damage_of(file.bytes) == "");
}

TEST_CASE("Damage is named") {
  const Written file;
  std::string flipped = file.bytes;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  file.replace(flipped);
  CHECK(damage(file.path).find("1 of 4 tensors is not the stored one, 'optimizer/momentum/") !=
        std::string::npos);
  std::string other = file.bytes;
  other.replace(other.find("\"abc\""), 5, "\"abd\"");
  file.replace(other);
  CHECK(damage(file.path).find("header: is damaged") != std::string::npos);
  CHECK_FALSE(has_checkpoint_header(file.path));
  file.replace(file.bytes);
  CHECK(has_checkpoint_header(file.path));
  CHECK_FALSE(has_checkpoint_header(file.folder / "absent"));
  write_safetensors(file.path, TensorArchive{});
  CHECK(damage(file.path).find("is no checkpoint") != std::string::npos);
  CHECK_FALSE(has_checkpoint_header(file.path));
}

TEST_CASE("A newer version is refused by its number, not taken for damage") {
  const Written file;
  std::string newer = file.bytes;
  const std::string key = "\"train/version\":\"";
  newer[newer.find(key) + key.size()] = '9';
  uint64_t length = 0;
  std::memcpy(&length, newer.data(), sizeof(length));
  const std::optional<HeaderSeal> seal =
      header_seal(std::string_view(newer).substr(0, 8 + static_cast<size_t>(length)));
  REQUIRE(seal);
  file.replace(newer);
  CHECK(damage(file.path).find("is damaged") != std::string::npos);  // a flip alone is damage
  newer.replace(seal->offset, seal->digest.size(), seal->digest);
  file.replace(newer);
  CHECK_THROWS_WITH_AS(read_checkpoint(file.path),
                       doctest::Contains("has format version 9; this program knows versions up to"),
                       CheckpointVersionError);
}

TEST_CASE("Values that are not finite are not saved") {
  const Written file;
  std::vector<StateTensor> tensors = small_state(8);
  Tensor bad = numbers(3, 1);
  bad.data<float>()[1] = std::numeric_limits<float>::quiet_NaN();
  tensors.push_back(state_tensor("bad", bad));
  try {
    write_checkpoint(file.path, {}, tensors);
    FAIL("was saved");
  } catch (const Error& error) {
    CHECK(error.exit_code() == ExitCode::kDiverged);
    CHECK(std::string(error.what()).find("1 values of 'bad'") != std::string::npos);
  }
  CHECK(read_text(file.path) == file.bytes);  // the old one stays, and no temporary file
  CHECK(std::distance(std::filesystem::directory_iterator(file.folder.path()), {}) == 1);
}

TEST_CASE("A parameter is written in file order") {
  const TemporaryDirectory folder;
  Parameter parameter;
  parameter.file_shape = {1, 2, 1, 3};  // OIHW
  parameter.layout = FileLayout::kConv;
  parameter.value = numbers(6, 0).reshape({1, 1, 3, 2});  // OHWI
  const std::string path = folder / "a";
  write_checkpoint(path, {}, {state_tensor("conv", parameter)});
  const TensorArchive archive = read_checkpoint(path);
  CHECK(archive.tensors.at(0).shape == parameter.file_shape);
  CHECK(values(archive.tensors[0]) == std::vector<float>{0, 1, 2, 0.5F, 1.5F, 2.5F});
}

TEST_CASE("As a weight file a checkpoint holds the weights alone, averaged where there is a mean") {
  const Written file;
  const TensorArchive weights = read_weights(file.path);
  REQUIRE(weights.tensors.size() == 2);
  CHECK(values(*weights.find("backbone.weight"))[0] == 7);
  CHECK(values(*weights.find("head.bias"))[0] == 10);  // of the mean
  CHECK(weights.metadata == small_facts(7).model);
  CHECK(read_weights(file.path, {.whole_object = true}).tensors.size() == 4);
  CHECK(tensors_under(read_checkpoint(file.path), "").tensors.size() == 2);
  const TensorArchive momentum = tensors_under(read_checkpoint(file.path), kMomentumPrefix);
  REQUIRE(momentum.tensors.size() == 1);
  CHECK(momentum.tensors[0].name == "head.bias");
  CHECK(values(momentum.tensors[0])[0] == 9);
  std::string flipped = file.bytes;
  const size_t weight_at = flipped.size() - 4 * (5 + 5);  // inside the last tensors but two
  flipped[weight_at] = static_cast<char>(flipped[weight_at] ^ 1);
  file.replace(flipped);
  CHECK_FALSE(damage(file.path).empty());
}

TEST_CASE("Damaged facts are named by their key") {
  auto metadata = facts_to_metadata(small_facts(3));
  metadata["train/step"] = "3x";
  CHECK_THROWS_WITH_AS(facts_from_metadata(metadata, "c"),
                       doctest::Contains("metadata train/step: '3x' is not a number"), FileError);
  metadata["train/step"] = "-3";
  CHECK_THROWS_WITH_AS(facts_from_metadata(metadata, "c"), doctest::Contains("below 0"), FileError);
  metadata.erase("train/step");
  CHECK_THROWS_WITH_AS(facts_from_metadata(metadata, "c"), doctest::Contains("is missing"),
                       FileError);
}

}  // namespace
}  // namespace mrcnn::test
