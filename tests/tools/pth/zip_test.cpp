// Archives that are damaged, lie about themselves, or try to look different to different readers.
#include <doctest/doctest.h>
#include <zlib.h>

#include "tests/tools/pth/maker.h"

namespace mrcnn::test {
namespace {

std::string deflated(const std::string& data) {
  std::string packed(compressBound(static_cast<uLong>(data.size())) + 64, '\0');
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string source = data;
  void* in = source.data();
  void* out = packed.data();
  stream.next_in = static_cast<Bytef*>(in);
  stream.avail_in = static_cast<uInt>(source.size());
  stream.next_out = static_cast<Bytef*>(out);
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

std::vector<Member> good() { return checkpoint_members(kGoodBody); }

// The good members with one changed by `change`.
template <typename Change>
std::string with(size_t index, Change change) {
  std::vector<Member> members = good();
  change(members[index]);
  return zip(members);
}

std::string with_extra(Member member) {
  std::vector<Member> members = good();
  members.push_back(std::move(member));
  return zip(members);
}

std::string renamed(const std::string& name) {
  return with(1, [&](Member& m) { m.name = name; });
}

std::string with_overlap() {
  std::string file = zip(good());
  // The directory's second entry points to the first member, whose header it copies.
  std::vector<Member> members = good();
  members[1] = members[0];
  members[1].name = "a/data/0";
  members[1].local_name = "a/data/0";
  file = zip(members);
  const size_t entry = file.find("PK\x01\x02", file.find("PK\x01\x02") + 1);
  const uint32_t inside = 10;
  std::memcpy(file.data() + entry + 42, &inside, sizeof(inside));
  return file;
}

std::vector<HostileCase> hostile_archives() {
  const std::string file = zip(good());
  return {
      {"empty", "", "empty"},
      {"only a signature", "PK\x03\x04", "no end record"},
      {"end record missing", file.substr(0, file.size() - 22), "no end record"},
      {"more entries claimed", zip(good(), {.more_entries = 3}), "damaged"},
      {"directory past the end", zip(good(), {.directory_shift = 100000}), "does not lie before"},
      {"directory inside data", zip(good(), {.directory_shift = -40}), "does not lie before"},
      {"second disk", zip(good(), {.disk = 1}), "split"},
      {"junk behind", zip(good(), {.after = "some junk"}), "9 bytes of junk follow"},
      {"junk between", zip(good(), {.before = "PK\x03\x04 and a program"}), "belong to no member"},
      {"duplicate storage", with_extra(good()[1]), "two members a/data/0"},
      {"duplicate pickle", with_extra({.name = "a/data.pkl", .data = pickle("}")}),
       "two members a/data.pkl"},
      {"other local name", with(1, [](Member& m) { m.local_name = "a/data/1"; }), "differs"},
      {"other local flags", with(1, [](Member& m) { m.local_flags = 0x800; }), "differs"},
      {"overlap", with_overlap(), "does not begin here"},
      {"name climbs", renamed("a/../../etc/x"), "not a plain path"},
      {"name absolute", renamed("/abs"), "not a plain path"},
      {"name with backslash", renamed("a\\..\\b"), "not plain text"},
      {"name with zero byte", renamed(std::string("a/da\0ta", 7)), "not plain text"},
      {"name too long", renamed("a/" + std::string(2000, 'x')), "too long"},
      {"name not UTF-8", renamed("a/\xff\xfe"), "not plain text"},
      {"no folder", zip({{.name = "data.pkl", .data = "x"}}), "not one written by PyTorch"},
      {"two folders", renamed("b/data/0"), "not under a/"},
      {"other case", zip({{.name = "a/DATA.PKL", .data = pickle(kGoodBody)}}),
       "without a/data.pkl"},
      {"deflate bomb",
       with(1,
            [](Member& m) { m.data = std::string(70 << 20, '\0'), m.method = 8, m.stored = "x"; }),
       "would unpack"},
      {"bad deflate", with(1, [](Member& m) { m.method = 8, m.stored = "xxxx"; }), "damaged"},
      {"deflate too long",
       with(1, [](Member& m) { m.stored = deflated(m.data + "more"), m.method = 8; }), "more than"},
      {"deflate too short",
       with(1, [](Member& m) { m.stored = deflated(m.data.substr(1)), m.method = 8; }), "damaged"},
      {"bzip2", with(1, [](Member& m) { m.method = 12; }), "method 12"},
      {"encrypted", with(1, [](Member& m) { m.flags = 1; }), "encrypted"},
      {"wrong checksum", with(1, [](Member& m) { m.crc_xor = 1; }), "CRC-32"},
      {"TorchScript", with_extra({.name = "a/constants.pkl", .data = "x"}), "TorchScript"},
      {"version 99", with(2, [](Member& m) { m.data = "99"; }), "version \"99\""},
      {"version -1", with(2, [](Member& m) { m.data = "-1"; }), "version \"-1\""},
      {"version empty", with(2, [](Member& m) { m.data = ""; }), "version \"\""},
      {"version endless", with(2, [](Member& m) { m.data = std::string(1 << 20, '1'); }),
       "version is missing"},
      {"byte order", with_extra({.name = "a/byteorder", .data = "middle"}), "byteorder"},
      {"storage missing", renamed("a/data/1"), "lacks a/data/0"},
      {"NumPy archive", zip({{.name = "x.npy", .data = "x"}}), "npz"},
  };
}

TEST_CASE("Rejects archives that are damaged or lie, and says why") {
  for (const HostileCase& hostile : hostile_archives()) {
    const std::string result = outcome(hostile.bytes);
    INFO(hostile.name, ": ", result);
    CHECK(result.find(hostile.message) != std::string::npos);
  }
}

TEST_CASE("Rejects a file cut anywhere") {
  const std::string file = zip(good());
  for (size_t part = 0; part < 64; ++part) {
    const size_t size = file.size() * part / 64;
    INFO("cut to ", size, " of ", file.size());
    CHECK(outcome(file.substr(0, size)) != "OK");
  }
}

TEST_CASE("Any flipped bit is an error or harmless, never a crash") {
  const std::string file = zip(good());
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::string flipped = file;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const std::string result = outcome(flipped);
    CHECK(result != "wrong exit code");
  }
}

TEST_CASE("Reads members stored and deflated") {
  CHECK(outcome(zip(good())) == "OK");
  std::vector<Member> members = good();
  for (Member& member : members) member.stored = deflated(member.data), member.method = 8;
  const TensorArchive archive = parse_weights(as_file(zip(members)), "t.pth");
  REQUIRE(archive.tensors.size() == 1);
  CHECK(std::memcmp(archive.tensors[0].bytes.data(), kSixFloats.data(), 24) == 0);
}

TEST_CASE("Warns and goes on where that is safe") {
  std::vector<std::string> warnings;
  const ReadOptions options{.warn = [&](const std::string& text) { warnings.push_back(text); }};
  CHECK(outcome(zip(good(), {.no_crc = true}), options) == "OK");
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("without checksums") != std::string::npos);
  CHECK(outcome(with_extra({.name = "a/data/7", .data = "xxxx"}), options) == "OK");
  REQUIRE(warnings.size() == 2);
  CHECK(warnings[1].find("1 stored buffers") != std::string::npos);
  CHECK(outcome(with(1, [](Member& m) { m.crc_xor = 1; }), {.check_crc = false}) == "OK");
}

TEST_CASE("Big-endian data is swapped") {
  const std::string file = with_extra({.name = "a/byteorder", .data = "big"});
  const TensorArchive archive = parse_weights(as_file(file), "t.pth");
  const std::span<const std::byte> bytes = archive.tensors.at(0).bytes;
  for (size_t i = 0; i < 24; ++i) {
    CHECK(bytes[i] == static_cast<std::byte>(kSixFloats[i / 4 * 4 + 3 - i % 4]));
  }
}

}  // namespace
}  // namespace mrcnn::test
