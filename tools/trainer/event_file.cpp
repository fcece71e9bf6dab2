#include "tools/trainer/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "tools/trainer/crc32c.h"

namespace mrcnn {
namespace {

// Field numbers of the messages.
constexpr int kEventWallTime = 1;
constexpr int kEventStep = 2;
constexpr int kEventFileVersion = 3;
constexpr int kEventSummary = 5;
constexpr int kEventSessionLog = 7;
constexpr int kSummaryValue = 1;
constexpr int kValueTag = 1;
constexpr int kValueSimple = 2;
constexpr int kValueImage = 4;
constexpr int kImageHeight = 1;
constexpr int kImageWidth = 2;
constexpr int kImageColorspace = 3;
constexpr int kImageEncoded = 4;
constexpr int kSessionStatus = 1;
constexpr uint64_t kSessionStart = 1;
constexpr uint64_t kRgb = 3;

// Wire types of protobuf.
constexpr int kVarint = 0;
constexpr int kFixed64 = 1;
constexpr int kBytes = 2;
constexpr int kFixed32 = 5;

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
}

template <typename T>
void put_fixed(std::string& out, T value) {
  static_assert(std::endian::native == std::endian::little);
  std::array<char, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &value, sizeof(T));
  out.append(bytes.data(), bytes.size());
}

void put_key(std::string& out, int field, int wire_type) {
  put_varint(out, static_cast<uint64_t>(field << 3 | wire_type));
}

void put_number(std::string& out, int field, uint64_t value) {
  put_key(out, field, kVarint);
  put_varint(out, value);
}

void put_bytes(std::string& out, int field, std::string_view value) {
  put_key(out, field, kBytes);
  put_varint(out, value.size());
  out += value;
}

constexpr std::string_view kNameStart = "events.out.tfevents.";

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

// TensorBoard reads the files of a directory in the order of their names, which begin with the
// time. A start within the same second, or after the clock was set back, must still sort last.
std::string new_path(const std::string& directory, double now) {
  auto second = static_cast<int64_t>(now);
  std::error_code ignored;  // a directory that cannot be listed fails when the file is made
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kNameStart)) continue;
    int64_t other = 0;
    std::from_chars(name.data() + kNameStart.size(), name.data() + name.size(), other);
    second = std::max(second, other + 1);
  }
  return fmt::format("{}/{}{:010}.{}.{}", directory, kNameStart, second, host_name(), ::getpid());
}

}  // namespace

WallClock system_clock() {
  return [] {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration<double>(now).count();
  };
}

std::string event_record(std::string_view payload) {
  std::string length;
  put_fixed(length, static_cast<uint64_t>(payload.size()));
  std::string record = length;
  put_fixed(record, masked_crc32c(length));
  record += payload;
  put_fixed(record, masked_crc32c(payload));
  return record;
}

EventFile::EventFile(const std::string& directory, int64_t next_step, WallClock clock)
    : clock_(std::move(clock)), file_(new_path(directory, clock_()), AppendFile::Open::kNew) {
  write_event(0, kEventFileVersion, "brain.Event:2");
  std::string start;
  put_number(start, kSessionStatus, kSessionStart);
  write_event(next_step, kEventSessionLog, start);
}

void EventFile::write_event(int64_t step, int field, std::string_view content) {
  std::string event;
  put_key(event, kEventWallTime, kFixed64);
  put_fixed(event, clock_());
  if (step != 0) put_number(event, kEventStep, static_cast<uint64_t>(step));
  put_bytes(event, field, content);
  file_.append(event_record(event));
}

void EventFile::scalars(int64_t step, const std::vector<std::pair<std::string, double>>& values) {
  std::string summary;
  for (const auto& [tag, number] : values) {
    std::string value;
    put_bytes(value, kValueTag, tag);
    put_key(value, kValueSimple, kFixed32);
    put_fixed(value, static_cast<float>(number));
    put_bytes(summary, kSummaryValue, value);
  }
  write_event(step, kEventSummary, summary);
}

void EventFile::image(int64_t step, std::string_view tag, int64_t height, int64_t width,
                      std::span<const std::byte> encoded) {
  const void* data = encoded.data();
  std::string image;
  put_number(image, kImageHeight, static_cast<uint64_t>(height));
  put_number(image, kImageWidth, static_cast<uint64_t>(width));
  put_number(image, kImageColorspace, kRgb);
  put_bytes(image, kImageEncoded, {static_cast<const char*>(data), encoded.size()});
  std::string value;
  put_bytes(value, kValueTag, tag);
  put_bytes(value, kValueImage, image);
  std::string summary;
  put_bytes(summary, kSummaryValue, value);
  write_event(step, kEventSummary, summary);
}

}  // namespace mrcnn
