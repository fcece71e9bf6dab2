#include "core/io/safetensors.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "core/error.h"

namespace mrcnn {
namespace {

std::string with_length(uint64_t length, const std::string& rest) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + rest;
}
std::string file_of(const std::string& header, const std::string& data = "") {
  return with_length(header.size(), header + data);
}
// One tensor "a" with these fields, over 8 bytes of data.
std::string tensor(const std::string& fields) {
  return file_of("{\"a\":{" + fields + "}}", "12345678");
}
std::string shaped(const std::string& shape, const std::string& offsets = "[0,8]") {
  return tensor("\"dtype\":\"U8\",\"shape\":" + shape + ",\"data_offsets\":" + offsets);
}
const std::string kGood = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";

TensorArchive parse(const std::string& bytes) {
  const auto copy = std::make_shared<std::vector<std::byte>>(bytes.size());
  if (!bytes.empty()) std::memcpy(copy->data(), bytes.data(), bytes.size());
  return parse_safetensors({std::span<const std::byte>(*copy), copy}, "t.safetensors");
}

std::string outcome(const std::string& bytes) {
  try {
    parse(bytes);
    return "OK";
  } catch (const FileError& error) {
    return error.exit_code() == ExitCode::kModel ? error.what() : "wrong exit code";
  }
}

struct Case {
  const char* name;
  std::string bytes;
  const char* message;
};

std::string deep_ignored_field() {
  return tensor(kGood + ",\"x\":" + std::string(100000, '[') + std::string(100000, ']'));
}

std::vector<Case> hostile_headers() {
  const std::string entry = "\"a\":{" + kGood + "}";
  const std::string empty = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  return {
      {"empty", "", "ends after 0 bytes"},
      {"7 bytes", "1234567", "ends after 7 bytes"},
      {"length 2^64-1", with_length(~uint64_t{0}, "{}"), "at most 100000000"},
      {"length 2^63", with_length(uint64_t{1} << 63, "{}"), "at most 100000000"},
      {"length 10^8+1", with_length(100000001, "{}"), "at most 100000000"},
      {"length one too long", with_length(3, "{}"), "incomplete"},
      {"not UTF-8", file_of("{\"\xff\":1}"), "not UTF-8"},
      {"array", file_of("[]"), "not a JSON object"},
      {"null", file_of("null"), "not a JSON object"},
      {"string", file_of("\"x\""), "not a JSON object"},
      {"open", file_of("{"), "not valid JSON"},
      {"byte order mark", file_of("\xef\xbb\xbf{}"), "not a JSON object"},
      {"two objects", file_of("{}{}"), "not valid JSON"},
      {"comment", file_of("{/*x*/}"), "not valid JSON"},
      {"trailing comma", file_of("{" + entry + ",}", "12345678"), "not valid JSON"},
      {"NaN", tensor(kGood + ",\"x\":NaN"), "not valid JSON"},
      {"deep", deep_ignored_field(), "not valid JSON"},
      {"duplicate name", file_of("{" + entry + "," + entry + "}", "12345678"), "appears twice"},
      {"duplicate empty", file_of("{\"a\":" + empty + ",\"a\":" + empty + "}"), "appears twice"},
      {"duplicate escaped", file_of("{\"a\":" + empty + ",\"\\u0061\":" + empty + "}"),
       "appears twice"},
      {"duplicate metadata", file_of(R"({"__metadata__":{},"__metadata__":{}})"), "appears twice"},
      {"duplicate metadata key", file_of(R"({"__metadata__":{"a":"","a":""}})"), "appears twice"},
      {"duplicate field", tensor(kGood + ",\"dtype\":\"F32\""), "appears twice"},
      {"metadata number", file_of(R"({"__metadata__":{"a":1}})"), "not a string"},
      {"metadata array", file_of(R"({"__metadata__":[]})"), "not an object"},
      {"tensor named __metadata__", file_of("{\"__metadata__\":{" + kGood + "}}", "12345678"),
       "not a string"},
      {"lone surrogate", file_of("{\"\\ud800\":" + empty + "}"), "not valid JSON"},
      {"tensor no object", file_of(R"({"a":1})"), "not an object"},
      {"no dtype", tensor(R"("shape":[2],"data_offsets":[0,8])"), "lacks"},
      {"dtype number", tensor(R"("dtype":1,"shape":[2],"data_offsets":[0,8])"), "not a string"},
      {"dtype lower case", tensor(R"("dtype":"f32","shape":[2],"data_offsets":[0,8])"), "unknown"},
      {"dtype known elsewhere", tensor(R"("dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8])"),
       "unsupported"},
      {"shape no array", shaped("8"), "not an array"},
      {"shape negative", shaped("[-8]"), "whole number"},
      {"shape -0", shaped("[-0]", "[0,0]"), "-0"},
      {"shape 8.0", shaped("[8.0]"), "whole number"},
      {"shape 8e0", shaped("[8e0]"), "whole number"},
      {"shape 08", shaped("[08]"), "not valid JSON"},
      {"shape true", shaped("[true]"), "whole number"},
      {"shape string", shaped("[\"8\"]"), "whole number"},
      {"shape 2^64", shaped("[18446744073709551616]"), "not valid JSON"},
      {"shape nested", shaped("[[8]]"), "whole number"},
      {"shape overflows", shaped("[4294967296,4294967296]"), "too large"},
      {"shape past int64", shaped("[9223372036854775808,0]", "[0,0]"), "too large"},
      {"rank 17", shaped("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,8]"), "too long"},
      {"offsets of 1", shaped("[8]", "[0]"), "not a pair"},
      {"offsets of 3", shaped("[8]", "[0,8,9]"), "too long"},
      {"offsets reversed", shaped("[8]", "[8,0]"), "bytes 8 to 0"},
      {"offsets past the end", shaped("[9]", "[0,9]"), "0 to 9 of 8"},
      {"size mismatch", shaped("[7]"), "takes 7 bytes"},
      {"trailing bytes", shaped("[6]", "[0,6]"), "2 trailing bytes"},
      {"hole", shaped("[6]", "[2,8]"), "a hole"},
      {"overlap",
       file_of(R"({"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},)"
               R"("b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
               "12345678"),
       "an overlap"},
  };
}

TEST_CASE("Rejects broken and hostile headers, and says why") {
  for (const Case& hostile : hostile_headers()) {
    const std::string result = outcome(hostile.bytes);
    INFO(hostile.name, ": ", result);
    CHECK(result.find(hostile.message) != std::string::npos);
  }
}

TEST_CASE("Accepts what the format allows") {
  CHECK(outcome(tensor(kGood)) == "OK");
  CHECK(outcome(file_of("{}")) == "OK");
  CHECK(outcome(file_of(" \n{\"a\":{" + kGood + "}}  ", "12345678")) == "OK");
  CHECK(outcome(tensor(kGood + R"(,"note":{"x":[1,-2.5,null]})")) == "OK");
  const std::string one_byte = R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})";
  CHECK(parse(file_of(one_byte, "1")).tensors.at(0).shape.empty());
}

TEST_CASE("A million empty tensors take their time, not more") {
  std::string header = "{";
  for (int i = 0; i < 1000000; ++i) {
    header += "\"t" + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)";
  }
  header.back() = '}';
  CHECK(parse(file_of(header)).tensors.size() == 1000000);
}

struct TemporaryFile {
  TemporaryFile()
      : path((std::filesystem::temp_directory_path() /
              ("mrcnn_safetensors_test." + std::to_string(::getpid())))
                 .string()) {}
  ~TemporaryFile() { std::filesystem::remove(path); }
  std::string path;
};

FileTensor make(const std::string& name, FileDType dtype, std::vector<int64_t> shape,
                const std::string& bytes) {
  FileTensor tensor;
  tensor.name = name;
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  tensor.bytes = std::as_bytes(std::span(bytes));
  return tensor;
}

TEST_CASE("What is written is read back, aligned and in the order of the format") {
  const std::string bytes = "0123456789abcdef";
  const std::string none;
  const std::string two = "xy";
  TensorArchive archive;
  archive.tensors = {make("z", FileDType::kBool, {2}, two),
                     make("half \"quoted\"\n\\", FileDType::kF16, {1}, two),
                     make("b", FileDType::kF32, {2, 2}, bytes),
                     make("a", FileDType::kF32, {4}, bytes),
                     make("long", FileDType::kI64, {2}, bytes),
                     make("empty", FileDType::kF64, {0, 3}, none)};
  archive.metadata = {{"key", "value \xc3\xa4 \"\t"}, {"", ""}};
  const TemporaryFile file;
  write_safetensors(file.path, archive);
  const TensorArchive back = read_safetensors(file.path);
  CHECK(back.metadata == archive.metadata);
  std::string order;
  for (const FileTensor& tensor : back.tensors) {
    order += tensor.name.substr(0, 4) + " ";
    const FileTensor* original = archive.find(tensor.name);
    REQUIRE(original != nullptr);
    CHECK(tensor.dtype == original->dtype);
    CHECK(tensor.shape == original->shape);
    CHECK(std::equal(tensor.bytes.begin(), tensor.bytes.end(), original->bytes.begin(),
                     original->bytes.end()));
  }
  CHECK(order == "long empt a b half z ");
  // The buffer itself begins at a page.
  const FileBytes whole = read_file(file.path, ExitCode::kModel);
  const TensorArchive again = parse_safetensors(whole, file.path);
  CHECK((again.tensors[0].bytes.data() - whole.bytes.data()) % 64 == 0);
}

TEST_CASE("A layout says where every byte goes before there are any") {
  const std::string bytes = "0123456789abcdef";
  const std::string two = "xy";
  TensorArchive archive;
  archive.tensors = {make("a", FileDType::kU8, {2}, two), make("b", FileDType::kF32, {4}, bytes)};
  archive.metadata = {{"digest", "????"}};
  const TemporaryFile file;
  write_safetensors(file.path, archive);
  const FileBytes whole = read_file(file.path, ExitCode::kModel);
  archive.tensors[0].bytes = {};
  archive.tensors[1].bytes = {};
  const SafetensorsLayout layout = lay_out_safetensors(archive, "t.safetensors");
  CHECK(layout.order == std::vector<size_t>{1, 0});
  CHECK(layout.tensor_bytes == std::vector<int64_t>{2, 16});
  CHECK(layout.data_bytes == 18);
  REQUIRE(whole.bytes.size() == layout.prologue.size() + 18);
  CHECK(std::memcmp(whole.bytes.data(), layout.prologue.data(), layout.prologue.size()) == 0);
  archive.metadata["digest"] = "1234";
  CHECK(lay_out_safetensors(archive, "").prologue.size() == layout.prologue.size());
}

TEST_CASE("Refuses to write what no reader could load") {
  const TemporaryFile file;
  const std::string two = "xy";
  const auto write = [&](std::vector<FileTensor> tensors) {
    TensorArchive archive;
    archive.tensors = std::move(tensors);
    write_safetensors(file.path, archive);
  };
  const FileTensor good = make("a", FileDType::kU8, {2}, two);
  CHECK_THROWS_WITH_AS(write({good, good}), doctest::Contains("used twice"), FileError);
  CHECK_THROWS_WITH_AS(write({make("__metadata__", FileDType::kU8, {2}, two)}),
                       doctest::Contains("reserved"), FileError);
  CHECK_THROWS_WITH_AS(write({make("a", FileDType::kU8, {3}, two)}),
                       doctest::Contains("its shape takes 3 bytes, but it has 2"), FileError);
  CHECK_THROWS_WITH_AS(write({make("\xff", FileDType::kU8, {2}, two)}),
                       doctest::Contains("not UTF-8"), FileError);
  CHECK_FALSE(std::filesystem::exists(file.path));
}

}  // namespace
}  // namespace mrcnn
