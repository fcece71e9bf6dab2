// Pickles of NumPy arrays, as detectron2 publishes its models.
#include <doctest/doctest.h>

#include "tests/tools/pth/maker.h"

namespace mrcnn::test {
namespace {

std::string dtype(const std::string& code, const std::string& order = "<") {
  return global("numpy", "dtype") + "(" + str(code) + "\x89\x88tR(" + num(3) + str(order) + "NNN" +
         num(-1) + num(-1) + num(0) + "tb";
}

std::string bytes_of(const std::string& data) {
  return "B" + little(static_cast<uint32_t>(data.size())) + data;
}

struct Array {
  std::string type = dtype("f4");
  std::vector<int64_t> shape = {2, 3};
  std::string fortran = "\x89";
  std::string data = bytes_of(kSixFloats);
  std::string module = "numpy.core.multiarray";

  std::string value() const {
    return global(module, "_reconstruct") + "(" + global("numpy", "ndarray") + tuple({0}) +
           bytes_of("b") + "tR(" + num(1) + tuple(shape) + type + fortran + data + "tb";
  }
  std::string file() const { return pickle(dict({{"model", dict({{"w", value()}})}})); }
};

TEST_CASE("Rejects arrays that do not fit their data, and says why") {
  const std::vector<HostileCase> cases = {
      {"shape too large", Array{.shape = {2, 4}}.file(), "does not fit its 24 bytes"},
      {"shape too small", Array{.shape = {5}}.file(), "does not fit its 24 bytes"},
      {"shape overflows", Array{.shape = {int64_t{1} << 40, int64_t{1} << 40}}.file(), "not fit"},
      {"shape negative", Array{.shape = {-1}}.file(), "holds -1"},
      {"objects", Array{.type = dtype("O8", "|")}.file(), "unsupported type"},
      {"list as data", Array{.data = "]"}.file(), "array of objects"},
      {"text as data", Array{.data = str("xxxx")}.file(), "a string, not bytes"},
      {"byte order", Array{.type = dtype("f4", "?")}.file(), "byte order"},
      {"reference to a storage", pickle(dict({{"w", storage({})}})), "outside of it"},
      {"wide characters",
       Array{.data = global("_codecs", "encode") + "(" + str("\xe2\x82\xac") + str("latin1") + "tR"}
           .file(),
       "above 255"},
      {"cut", Array{}.file().substr(0, 150), "incomplete"},
  };
  for (const HostileCase& hostile : cases) {
    const std::string result = outcome(hostile.bytes);
    INFO(hostile.name, ": ", result);
    CHECK(result.find(hostile.message) != std::string::npos);
  }
}

std::string values(const std::string& file) {
  const TensorArchive archive = parse_weights(as_file(file), "t.pkl");
  const void* data = archive.tensors.at(0).bytes.data();
  return {static_cast<const char*>(data), archive.tensors[0].bytes.size()};
}

TEST_CASE("Reads arrays in every spelling") {
  CHECK(values(Array{}.file()) == kSixFloats);
  CHECK(values(Array{.module = "numpy._core.multiarray"}.file()) == kSixFloats);
  CHECK(values(pickle(dict({{"w", Array{}.value()}}))) == kSixFloats);
  const std::string from_buffer = global("numpy._core.numeric", "_frombuffer") + "(\x96" +
                                  little(uint64_t{24}) + kSixFloats + dtype("f4") + tuple({2, 3}) +
                                  str("C") + "tR";
  CHECK(values("\x80\x05" + dict({{"w", from_buffer}}) + ".") == kSixFloats);
  const std::string latin =
      global("_codecs", "encode") + "(" + str("a\xc3\xbf\xc2\x80z") + str("latin1") + "tR";
  CHECK(values(Array{.type = dtype("u1", "|"), .shape = {4}, .data = latin}.file()) ==
        "a\xff\x80z");
  // Python 2: the data is a byte string.
  CHECK(values(Array{.data = "T" + little(int32_t{24}) + kSixFloats}.file()) == kSixFloats);
}

TEST_CASE("Column-major and big-endian arrays come out row-major and little-endian") {
  const std::string transposed = values(Array{.shape = {3, 2}, .fortran = "\x88"}.file());
  for (const auto& [to, from] : {std::pair<size_t, size_t>{0, 0}, {1, 3}, {2, 1}, {3, 4}}) {
    CHECK(transposed.substr(4 * to, 4) == kSixFloats.substr(4 * from, 4));
  }
  std::string big = kSixFloats;
  for (size_t i = 0; i < 24; i += 4)
    std::swap(big[i], big[i + 3]), std::swap(big[i + 1], big[i + 2]);
  CHECK(values(Array{.type = dtype("f4", ">"), .data = bytes_of(big)}.file()) == kSixFloats);
}

}  // namespace
}  // namespace mrcnn::test
