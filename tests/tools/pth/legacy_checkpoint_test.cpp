// The container of torch 0.2 to 1.5.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/tools/pth/maker.h"

namespace mrcnn::test {
namespace {

struct Legacy {
  std::string protocol = num(1001);
  std::string little_endian = "\x88";
  std::string body = dict({{"w", tensor_of(storage({}, "N"), 0, {2, 3}, {3, 1})}});
  std::string keys = "](" + str("0") + "e";
  std::string data = little(int64_t{6}) + kSixFloats;

  std::string bytes() const {
    const std::string magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    return magic + pickle(protocol) + pickle("}(" + str("little_endian") + little_endian + "u") +
           pickle(body) + pickle(keys) + data;
  }
};

std::string viewed(const std::string& view_key, int64_t offset, int64_t numel) {
  return dict({{"w", tensor_of(storage({}, "(" + str(view_key) + num(offset) + num(numel) + "t"), 0,
                               {2}, {1})}});
}

std::vector<HostileCase> hostile_files() {
  const Legacy good;
  const std::string file = good.bytes();
  const std::string module = "(" + str("module") + global("a", "B") + str("") + str("") + "tQ";
  std::string wrong_magic = file;
  wrong_magic[5] = 'x';
  return {
      {"wrong magic number", wrong_magic, "does not fit 64 bits"},
      {"protocol 1002", Legacy{.protocol = num(1002)}.bytes(), "not 1001"},
      {"byte order no bool", Legacy{.little_endian = num(1)}.bytes(), "not a bool"},
      {"unknown key", Legacy{.keys = "](" + str("5") + "e"}.bytes(), "belongs to no tensor"},
      {"missing key", Legacy{.keys = "]", .data = ""}.bytes(), "lists 0 storages"},
      {"key twice",
       Legacy{.keys = "](" + str("0") + str("0") + "e", .data = good.data + good.data}.bytes(),
       "appears twice"},
      {"keys no list", Legacy{.keys = "}"}.bytes(), "not a list"},
      {"length -1", Legacy{.data = little(int64_t{-1}) + kSixFloats}.bytes(), "-1 elements here"},
      {"length 2^62", Legacy{.data = little(int64_t{1} << 62) + kSixFloats}.bytes(), "and 6 in"},
      {"cut inside a number", file.substr(0, file.size() - 2), "incomplete"},
      {"view past its storage", Legacy{.body = viewed("v", 5, 2)}.bytes(), "lies outside"},
      {"view of itself", Legacy{.body = viewed("0", 0, 2)}.bytes(), "key of the storage itself"},
      {"whole module", Legacy{.body = module}.bytes(), "state_dict()"},
      {"reference of the other container",
       Legacy{.body = dict({{"w", tensor_of(storage({}), 0, {6}, {1})}})}.bytes(),
       "not a storage of 6 entries"},
      {"tar", std::string(257, 'x') + "ustar" + std::string(250, '\0'), "tar format"},
  };
}

TEST_CASE("Rejects legacy files that are damaged or lie, and says why") {
  for (const HostileCase& hostile : hostile_files()) {
    const std::string result = outcome(hostile.bytes);
    INFO(hostile.name, ": ", result);
    CHECK(result.find(hostile.message) != std::string::npos);
  }
}

TEST_CASE("Rejects a legacy file cut anywhere") {
  const std::string file = Legacy{}.bytes();
  for (size_t size = 0; size < file.size(); ++size) {
    INFO("cut to ", size, " of ", file.size());
    CHECK(outcome(file.substr(0, size)) != "OK");
  }
}

TEST_CASE("Reads legacy files: plain, viewed, big-endian, with bytes behind") {
  CHECK(outcome(Legacy{}.bytes()) == "OK");
  const TensorArchive view =
      parse_weights(as_file(Legacy{.body = viewed("v", 4, 2)}.bytes()), "t.pth");
  REQUIRE(view.tensors.at(0).bytes.size() == 8);
  CHECK(std::memcmp(view.tensors[0].bytes.data(), kSixFloats.data() + 16, 8) == 0);

  std::string big = Legacy{.little_endian = "\x89"}.data;
  std::reverse(big.begin(), big.begin() + 8);
  const TensorArchive swapped =
      parse_weights(as_file(Legacy{.little_endian = "\x89", .data = big}.bytes()), "t.pth");
  for (size_t i = 0; i < 24; ++i) {
    CHECK(swapped.tensors.at(0).bytes[i] ==
          static_cast<std::byte>(kSixFloats[i / 4 * 4 + 3 - i % 4]));
  }

  std::string warning;
  const ReadOptions options{.warn = [&](const std::string& text) { warning = text; }};
  CHECK(outcome(Legacy{}.bytes() + "xyz", options) == "OK");
  CHECK(warning.find("3 bytes after the last storage") != std::string::npos);
}

}  // namespace
}  // namespace mrcnn::test
