#include "tools/trainer/event_file.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "core/error.h"
#include "tests/support/temporary_directory.h"
#include "tools/trainer/crc32c.h"

namespace mrcnn {
namespace {

using test::read_text;
using test::TemporaryDirectory;

std::string hex(const std::string& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

WallClock fixed_clock(double seconds) {
  return [seconds] { return seconds; };
}

// RFC 3720, B.4, and the check value of the CRC catalogue.
TEST_CASE("CRC-32C gives the published values") {
  CHECK(crc32c("123456789") == 0xE3069283U);
  CHECK(crc32c("") == 0);
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAU);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62A8AB43U);
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending += static_cast<char>(i);
  CHECK(crc32c(ascending) == 0x46DD794EU);
  CHECK(crc32c(std::string(ascending.rbegin(), ascending.rend())) == 0x113FDB5CU);
  CHECK(masked_crc32c("123456789") == 0xC78AB0E5U);
}

// The first and last record are what TensorBoard's own writer gives.
TEST_CASE("The bytes are TensorBoard's") {
  const TemporaryDirectory folder;
  EventFile events(folder.path(), 0, fixed_clock(1.0));
  const size_t header = read_text(events.path()).size();
  events.scalars(7, {{"loss", 0.5}});
  const std::string bytes = read_text(events.path());
  CHECK(hex(bytes).starts_with(
      "1800000000000000a37f4b2209000000000000f03f1a0d627261696e2e4576656e743a3286bf577a"));
  CHECK(hex(bytes.substr(header)) ==
        "1a00000000000000129bd82d09000000000000f03f10072a0d0a0b0a046c6f7373150000003f862c9a2f");
}

TEST_CASE("Pictures, several scalars and large steps have their fields") {
  const TemporaryDirectory folder;
  EventFile events(folder.path(), 0, fixed_clock(0.0));
  const size_t header = read_text(events.path()).size();
  const std::string png = "PNG";
  events.image(300, "val/0", 2, 200, std::as_bytes(std::span(png)));
  const std::string image = read_text(events.path()).substr(header);
  // length, mask | wall time | step 300 | summary { value { tag, image { 2, 200, RGB, bytes } } }
  CHECK(hex(image.substr(12, image.size() - 16)) ==
        "090000000000000000"
        "10ac02"
        "2a17"
        "0a15"
        "0a0576616c2f30"
        "220c"
        "0802"
        "10c801"
        "1803"
        "2203504e47");
  const size_t before = read_text(events.path()).size();
  events.scalars(1, {{"a", 1}, {"b", -2}});
  const std::string scalars = read_text(events.path()).substr(before);
  CHECK(hex(scalars.substr(12, scalars.size() - 16)) ==
        "090000000000000000"
        "1001"
        "2a14"
        "0a08"
        "0a0161"
        "150000803f"
        "0a08"
        "0a0162"
        "15000000c0");
}

TEST_CASE("A later start gets a later file, and takes repeated steps back") {
  const TemporaryDirectory folder;
  const EventFile first(folder.path(), 0, fixed_clock(1700000000.5));
  const EventFile same_second(folder.path(), 31, fixed_clock(1700000000.9));
  const EventFile clock_set_back(folder.path(), 51, fixed_clock(1600000000.0));
  CHECK(first.path().find("events.out.tfevents.1700000000.") != std::string::npos);
  CHECK(first.path() < same_second.path());
  CHECK(same_second.path() < clock_set_back.path());
  // The second record: step 31, session log { status START }.
  const std::string bytes = read_text(same_second.path());
  CHECK(hex(bytes).find("101f"
                        "3a02"
                        "0801") != std::string::npos);
}

TEST_CASE("Records are framed by their checksums") {
  const std::string record = event_record("abc");
  CHECK(record.size() == 8 + 4 + 3 + 4);
  CHECK(hex(record).starts_with("0300000000000000"));
  CHECK_THROWS_AS(EventFile("/absent", 0), FileError);
}

}  // namespace
}  // namespace mrcnn
