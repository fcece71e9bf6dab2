// What a file is, whatever it is called; real and generated checkpoints against PyTorch's reading.
#include "tools/weights.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "core/io/safetensors.h"
#include "tests/tools/pth/maker.h"
#include "tools/conversion.h"

namespace mrcnn::test {
namespace {

std::string safetensors_file(const std::string& header, const std::string& data = "") {
  return little(static_cast<uint64_t>(header.size())) + header + data;
}

TEST_CASE("Rejects what is no weight file and names it") {
  const std::vector<HostileCase> cases = {
      {"empty", "", "empty"},
      {"LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"},
      {"web page", "\n<!DOCTYPE html><html>", "web page"},
      {"gzip", "\x1f\x8b\x08 something", "gzip"},
      {"HDF5", "\x89HDF\r\n and so on", "HDF5"},
      {"preview release", "PYTORCH1 something", "preview release"},
      {"GGUF", "GGUF something else", "GGUF"},
      {"NumPy array", "\x93NUMPY\x01 something", "NumPy array"},
      {"text", "hello, these are not weights", "none of the formats"},
      {"safetensors cut", safetensors_file("{\"a\":1}").substr(0, 12), "incomplete"},
      {"safetensors without tensors", safetensors_file("{}"), "no tensors"},
  };
  for (const HostileCase& hostile : cases) {
    const std::string result = outcome(hostile.bytes);
    INFO(hostile.name, ": ", result);
    CHECK(result.find(hostile.message) != std::string::npos);
  }
  const std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  CHECK(outcome(safetensors_file(header, "x")) == "OK");
  CHECK(outcome(safetensors_file(header, "x"), {.key = "b"}).find("--key") != std::string::npos);
  CHECK_THROWS_AS(read_weights(MRCNN_TEST_DATA "/golden/pth/absent.pth"), FileError);
  CHECK_THROWS_AS(read_weights(MRCNN_TEST_DATA "/golden/pth"), FileError);
}

TEST_CASE("The length of a safetensors header is never taken for something else") {
  // Low bytes '<' of a web page, '(' of a pickle, and the start of gzip.
  for (const size_t length : {size_t{0x3c}, size_t{0x128}, size_t{0x8b1f}}) {
    std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
    header.resize(length, ' ');
    const FileBytes file = as_file(safetensors_file(header, "x"));
    CHECK(detect_weight_format(file, "t") == WeightFormat::kSafetensors);
  }
}

TEST_CASE("Checkpoints hash as PyTorch reads them") {
  const std::string folder = MRCNN_TEST_DATA "/golden/pth/";
  std::map<std::string, std::vector<std::string>> expected;
  std::ifstream list(folder + "expected.txt");
  for (std::string line; std::getline(list, line);) {
    const size_t space = line.find(' ');
    expected[line.substr(0, space)].push_back(line.substr(space + 1));
  }
  CHECK(expected.size() == 11);
  for (auto& [file, lines] : expected) {
    INFO(file);
    // Paths into the whole object where the file is a training checkpoint.
    const bool is_whole = file.find("nested") != std::string::npos;
    std::vector<std::string> found =
        hash_tensors(read_weights(folder + file, {.whole_object = is_whole}));
    std::sort(found.begin(), found.end());
    std::sort(lines.begin(), lines.end());
    CHECK(found == lines);
  }
}

TEST_CASE("A training checkpoint gives its model alone, under its own names") {
  const TensorArchive nested =
      read_weights(MRCNN_TEST_DATA "/golden/pth/checkpoint_nested_zip.pth");
  const TensorArchive plain = read_weights(MRCNN_TEST_DATA "/golden/pth/state_dict_zip.pth");
  REQUIRE(nested.tensors.size() == plain.tensors.size());
  for (size_t i = 0; i < plain.tensors.size(); ++i) {
    CHECK(nested.tensors[i].name == plain.tensors[i].name);
  }
}

TEST_CASE("The hash in a published name is checked") {
  std::string warning;
  const auto check = [&](const std::string& path, const std::string& digest) {
    warning.clear();
    check_name_hash(path, digest, [&](const std::string& text) { warning = text; });
  };
  const std::string digest = "19c8e357" + std::string(56, '0');
  check("dir/resnet50-19c8e357.pth", digest);
  check("dir/resnet50.pth", digest);
  check("dir/a-b.pth", digest);
  CHECK(warning.empty());
  CHECK_THROWS_AS(check("resnet50-19c8e358.pth", digest), FileError);
  check("run-20240131.pth", digest);  // may be a date
  CHECK(warning.find("20240131") != std::string::npos);
  check("run/checkpoint-000012000.safetensors", digest);  // a step of a training run
  CHECK(warning.empty());
}

}  // namespace
}  // namespace mrcnn::test
