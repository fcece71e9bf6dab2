// Tensors whose geometry does not fit their data, and those whose data is laid out unusually.
#include <doctest/doctest.h>

#include "tests/tools/pth/maker.h"

namespace mrcnn::test {
namespace {

constexpr int64_t kHuge = int64_t{1} << 40;

std::string one(const std::string& tensor) { return checkpoint(dict({{"w", tensor}})); }

std::string shaped(int64_t offset, const std::vector<int64_t>& sizes,
                   const std::vector<int64_t>& strides) {
  return one(tensor_of(storage({}), offset, sizes, strides));
}

std::string stored(const StorageSpec& spec) { return one(tensor_of(storage(spec), 0, {1}, {1})); }

std::string expanded_many_times() {
  std::string body = "}(";
  for (int i = 0; i < 100; ++i) {
    body += str("w" + std::to_string(i)) + tensor_of(storage({}), 0, {300000, 6}, {0, 1});
  }
  return checkpoint(body + "u");
}

std::vector<HostileCase> hostile_tensors() {
  const std::string both =
      dict({{"a", kGoodTensor},
            {"b", tensor_of(storage({.type = "LongStorage", .numel = 3}), 0, {3}, {1})}});
  const std::string with_text = global("torch._utils", "_rebuild_tensor_v2") + "(" + storage({}) +
                                num(0) + "(" + str("6") + "t" + tuple({1}) + "\x89" + kHooks + "tR";
  return {
      {"length overflows", stored({.type = "DoubleStorage", .numel = int64_t{1} << 61}),
       "a storage of"},
      {"length -1", stored({.numel = -1}), "a storage of -1"},
      {"longer than its data", stored({.numel = 7}), "has 24 bytes, but 7 x float32 takes 28"},
      {"shorter than its data", stored({.numel = 5}), "takes 20"},
      {"offset -1", shaped(-1, {1}, {1}), "offset of a tensor is -1"},
      {"offset too large", shaped(INT64_MAX, {1}, {1}), "begins at element"},
      {"stride negative", shaped(5, {2}, {-1}), "stride of a tensor holds -1"},
      {"size negative", shaped(0, {-2}, {1}), "size of a tensor holds -2"},
      {"count overflows", shaped(0, {kHuge, kHuge}, {0, 0}), "overflows"},
      {"stride overflows", shaped(0, {3}, {int64_t{1} << 62}), "overflows"},
      {"one past the end", shaped(1, {2, 3}, {3, 1}), "reaches element 6 of a storage of 6"},
      {"exactly at the end", shaped(3, {3}, {1}), "OK"},
      {"terabyte from one element", shaped(0, {kHuge}, {0}), "expands"},
      {"many expanded tensors", expanded_many_times(), "together are far larger"},
      {"rank 17", shaped(0, std::vector<int64_t>(17, 1), std::vector<int64_t>(17, 1)),
       "17 entries"},
      {"rank 100000", shaped(0, std::vector<int64_t>(100000, 1), {}), "100000 entries"},
      {"ranks differ", shaped(0, {2, 3}, {1}), "2 sizes and 1 strides"},
      {"one storage, two types", checkpoint(both), "storage 0 is both"},
      {"size is text", one(with_text), "a string, not an integer"},
      {"key climbs", stored({.key = "../0"}), "key of a storage"},
      {"key empty", stored({.key = ""}), "key of a storage"},
      {"key endless", stored({.key = std::string(1 << 20, '0')}), "key of a storage"},
      {"quantised", stored({.type = "QInt8Storage", .numel = 24}), "qint8, which no model"},
      {"complex", stored({.type = "ComplexFloatStorage", .numel = 3}), "complex64, which no model"},
      {"unknown type", stored({.type = "StrangeStorage"}), "unknown type of storage"},
  };
}

TEST_CASE("Rejects tensors that do not fit their data, and says why") {
  for (const HostileCase& hostile : hostile_tensors()) {
    const std::string result = outcome(hostile.bytes);
    INFO(hostile.name, ": ", result);
    CHECK(result.find(hostile.message) != std::string::npos);
  }
}

std::vector<float> floats(const FileTensor& tensor) {
  std::vector<float> values(tensor.bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

TEST_CASE("Gathers views into row-major order") {
  const auto read = [](const std::string& file) {
    return floats(parse_weights(as_file(file), "t.pth").tensors.at(0));
  };
  CHECK(read(shaped(0, {2, 3}, {3, 1})) == std::vector<float>{0, 1, 2, 3, 4, 5});
  CHECK(read(shaped(0, {3, 2}, {1, 3})) == std::vector<float>{0, 3, 1, 4, 2, 5});
  CHECK(read(shaped(1, {2, 2}, {3, 1})) == std::vector<float>{1, 2, 4, 5});
  CHECK(read(shaped(4, {}, {})) == std::vector<float>{4});
  CHECK(read(shaped(2, {3}, {0})) == std::vector<float>{2, 2, 2});
  CHECK(read(shaped(0, {2, 1, 3}, {3, 77, 1})) == std::vector<float>{0, 1, 2, 3, 4, 5});
  CHECK(read(shaped(0, {3, 1, 2}, {2, 0, 1})) == std::vector<float>{0, 1, 2, 3, 4, 5});
  CHECK(read(shaped(0, {0, 3}, {3, 1})).empty());
}

TEST_CASE("Contiguous tensors are not copied") {
  const FileBytes file = as_file(shaped(3, {3}, {1}));
  const TensorArchive archive = parse_weights(file, "t.pth");
  const std::byte* data = archive.tensors.at(0).bytes.data();
  CHECK(data >= file.bytes.data());
  CHECK(data < file.bytes.data() + file.bytes.size());
}

}  // namespace
}  // namespace mrcnn::test
