#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "data/image/image.h"

namespace mrcnn {
namespace {

using namespace std::string_view_literals;
using Bytes = std::vector<std::byte>;

Bytes to_bytes(std::string_view text) {
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

Bytes golden(const std::string& name) {
  std::ifstream file(MRCNN_TEST_DATA "/golden/images/" + name, std::ios::binary);
  REQUIRE(file.good());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return to_bytes(text);
}

Bytes first(const Bytes& bytes, size_t percent) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() * percent / 100)};
}

size_t find(const Bytes& bytes, std::string_view text) {
  const Bytes wanted = to_bytes(text);
  const auto at = std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end());
  REQUIRE(at != bytes.end());
  return static_cast<size_t>(at - bytes.begin());
}

void put(Bytes& bytes, size_t at, std::string_view text) {
  const Bytes patch = to_bytes(text);
  std::copy(patch.begin(), patch.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

void insert(Bytes& bytes, size_t at, std::string_view text) {
  const Bytes more = to_bytes(text);
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), more.begin(), more.end());
}

// The message of the FileError, "" if the file decodes.
std::string problem_of(const Bytes& bytes, const DecodeOptions& options = {}) {
  try {
    decode_image(bytes, "photo", options);
  } catch (const FileError& error) {
    CHECK(error.exit_code() == ExitCode::kData);
    CHECK(error.path() == "photo");
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  MESSAGE("got: " << text);
  return false;
}

TEST_CASE("RejectsWhatIsNoPictureByName") {
  CHECK(contains(problem_of({}), "photo: the file is empty"));
  CHECK(contains(problem_of(to_bytes("GIF89a\1\0\1\0"sv)), "is a GIF image"));
  CHECK(contains(problem_of(to_bytes("RIFF\x10\0\0\0WEBPVP8 "sv)), "is a WebP image"));
  CHECK(contains(problem_of(to_bytes("BM\x10\0\0\0"sv)), "is a BMP image"));
  CHECK(contains(problem_of(to_bytes("II*\0\x08\0\0\0"sv)), "is a TIFF image"));
  CHECK(contains(problem_of(to_bytes("\0\0\0\x1C"
                                     "ftypheic"sv)),
                 "is a HEIC image"));
  CHECK(contains(problem_of(to_bytes("\0\0\0\x1C"
                                     "ftypisom"sv)),
                 "is a video"));
  CHECK(contains(problem_of(to_bytes("<!DOCTYPE html>")), "HTML"));
  CHECK(contains(problem_of(to_bytes("version https://git-lfs.github.com/spec/v1")), "Git LFS"));
  CHECK(contains(problem_of(to_bytes("abc")), "first bytes are 61 62 63"));
  CHECK(contains(problem_of(to_bytes("\xFF\xD8\xFF"sv)), "damaged JPEG header"));
  CHECK(contains(problem_of(to_bytes("\x89PNG\r\n\x1A\n"sv)), "no image header"));
}

TEST_CASE("RejectsPathsThatAreNotRegularFiles") {
  const auto dir = std::filesystem::temp_directory_path() / "mrcnn_decode_test";
  std::filesystem::create_directories(dir);
  const std::string fifo = (dir / "fifo.jpg").string();
  std::filesystem::remove(fifo);
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_THROWS_AS(load_image(fifo), FileError);  // and does not wait for a writer
  CHECK_THROWS_AS(load_image(dir.string()), FileError);
  CHECK_THROWS_AS(load_image("/dev/zero"), FileError);
  CHECK_THROWS_AS(load_image((dir / "absent.jpg").string()), FileError);
  CHECK_THROWS_AS(load_image(""), FileError);

  const std::string large = (dir / "large.jpg").string();
  std::ofstream(large) << "0123456789";
  DecodeOptions options;
  options.limits.max_file_bytes = 9;
  CHECK_THROWS_WITH_AS(load_image(large, options), doctest::Contains("limit of 9"), FileError);
  std::filesystem::remove_all(dir);
}

TEST_CASE("RejectsDamagedJpeg") {
  for (const char* name : {"rgb_420_q90.jpg", "rgb_420_progressive.jpg", "cmyk.jpg"}) {
    const Bytes whole = golden(name);
    for (const size_t percent : {1, 10, 30, 60, 90, 99}) {
      CAPTURE(name);
      CAPTURE(percent);
      CHECK(contains(problem_of(first(whole, percent)), "damaged JPEG"));
    }
  }
  Bytes without_end = golden("rgb_420_q90.jpg");
  without_end.resize(without_end.size() - 2);
  CHECK(contains(problem_of(without_end), "Premature end"));
  Bytes damaged = golden("rgb_420_q90.jpg");
  put(damaged, damaged.size() / 2, "\xFF\xC4\xFF\xFF"sv);  // a table in the middle of the data
  CHECK(contains(problem_of(damaged), "damaged JPEG"));
  Bytes trailing = golden("rgb_420_q90.jpg");
  insert(trailing, trailing.size(), "appended by a camera");
  CHECK(problem_of(trailing).empty());
}

TEST_CASE("RejectsUnsupportedJpegByName") {
  const Bytes baseline = golden("size_17x9_420.jpg");
  const size_t frame = find(baseline, "\xFF\xC0"sv);
  Bytes changed = baseline;
  put(changed, frame + 1, "\xC3"sv);
  CHECK(contains(problem_of(changed), "lossless JPEG"));
  put(changed, frame + 1, "\xC5"sv);
  CHECK(contains(problem_of(changed), "hierarchical JPEG"));
  changed = baseline;
  put(changed, frame + 4, "\x0C"sv);
  CHECK(contains(problem_of(changed), "12-bit JPEG"));
  changed = baseline;
  put(changed, frame + 5, "\0\0"sv);  // height 0
  CHECK_FALSE(problem_of(changed).empty());
}

TEST_CASE("RejectsPicturesPastLimitsBeforeAllocating") {
  Bytes jpeg = golden("size_17x9_420.jpg");
  const size_t frame = find(jpeg, "\xFF\xC0"sv);
  put(jpeg, frame + 5, "\xFF\xDC\xFF\xDC"sv);  // 65500 x 65500
  CHECK(contains(problem_of(jpeg), "65500x65500 pixels has more than the limit of 178956970"));
  put(jpeg, frame + 5, "\x30\0\x30\0"sv);  // 12288 x 12288 in 917 bytes
  CHECK(contains(problem_of(jpeg), "cannot hold a picture of 12288x12288"));

  Bytes png = golden("rgb8.png");
  put(png, 16, "\x7F\xFF\xFF\xFF"sv);
  CHECK(contains(problem_of(png), "side past the limit of 65500"));
  put(png, 16, "\0\0\x2F\0\0\0\x2F\0"sv);
  CHECK(contains(problem_of(png), "cannot hold a picture of 12032x12032"));
  put(png, 16, "\0\0\0\0"sv);
  CHECK(contains(problem_of(png), "is empty"));

  DecodeOptions options;
  options.limits.max_pixels = 17 * 9 - 1;
  CHECK(contains(problem_of(golden("size_17x9_420.jpg"), options), "limit of 152 pixels"));
  options.limits.max_pixels = 17 * 9;
  CHECK(problem_of(golden("size_17x9_420.jpg"), options).empty());
  options.limits.max_scans = 5;
  CHECK(contains(problem_of(golden("rgb_420_progressive.jpg"), options), "limit of 5"));
}

TEST_CASE("RejectsDamagedPng") {
  const Bytes whole = golden("rgb8.png");
  for (const size_t percent : {5, 30, 60, 90, 99}) {
    CAPTURE(percent);
    CHECK_FALSE(problem_of(first(whole, percent)).empty());
  }
  Bytes wrong_sum = whole;
  wrong_sum[find(whole, "IDAT") + 20] ^= std::byte{1};
  CHECK(contains(problem_of(wrong_sum), "damaged PNG"));
  Bytes text = golden("rgb8_gamma.png");
  text[find(text, "no profile")] ^= std::byte{1};  // an ancillary chunk
  CHECK(contains(problem_of(text), "CRC"));
  Bytes no_end = whole;
  no_end.resize(whole.size() - 12);
  CHECK(contains(problem_of(no_end), "truncated"));
}

TEST_CASE("PartialPicturesAreKeptOnRequest") {
  const DecodeOptions partial{.bad_image = BadImagePolicy::kPartial};
  for (const char* name : {"rgb_420_q90.jpg", "rgb_420_progressive.jpg", "palette8.png"}) {
    CAPTURE(name);
    const Bytes whole = golden(name);
    const Image complete = decode_image(whole, name);
    const Image image = decode_image(first(whole, 80), name, partial);
    CHECK(image.pixels.shape() == complete.pixels.shape());
    REQUIRE(image.warnings.size() == 1);
    CHECK(contains(image.warnings[0], "damaged"));
    CHECK(decode_image(whole, name, partial).warnings.empty());
  }
  // The upper part of a baseline picture is not touched by what is missing below.
  const Bytes whole = golden("rgb_444_q90.jpg");
  const Image complete = decode_image(whole, "");
  const Image image = decode_image(first(whole, 60), "", partial);
  const auto is_equal = [&](int64_t row) {
    const auto a = complete.pixels.slice(row, row + 1).span<uint8_t>();
    const auto b = image.pixels.slice(row, row + 1).span<uint8_t>();
    return std::equal(a.begin(), a.end(), b.begin());
  };
  CHECK(is_equal(0));
  CHECK(is_equal(40));
  CHECK_FALSE(is_equal(150));
  CHECK(contains(problem_of(to_bytes("\xFF\xD8\xFF\xE0"sv), partial), "damaged JPEG header"));
}

TEST_CASE("Edges: no damaged file reads outside its bytes") {
  // Run under AddressSanitizer this checks every read; otherwise that nothing but FileError comes.
  for (const char* name : {"size_17x9_420.jpg", "orientation6.jpg", "ycck_420.jpg",
                           "rgb8_exif8.png", "palette4_interlaced.png", "palette8_trns.png"}) {
    const Bytes whole = golden(name);
    for (uint32_t number = 0; number < 300; ++number) {
      const RandomStream random{.seed = 31, .step = number};
      Bytes bytes = whole;
      for (uint32_t i = 0; i < 1 + number % 4; ++i) {
        bytes[random.word(2 * i) % bytes.size()] = static_cast<std::byte>(random.word(2 * i + 1));
      }
      if (number % 3 == 0) bytes.resize(1 + random.word(99) % bytes.size());
      bytes.shrink_to_fit();
      for (const BadImagePolicy policy : {BadImagePolicy::kFail, BadImagePolicy::kPartial}) {
        try {
          decode_image(bytes, name, {.bad_image = policy, .limits = {.max_pixels = 1 << 20}});
        } catch (const FileError&) {
        }
      }
    }
  }
}

}  // namespace
}  // namespace mrcnn
