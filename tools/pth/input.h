// Bytes under examination, and how their faults are reported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace mrcnn::pth {

// A file, or one member of an archive.
class Input {
 public:
  // `part` names a member ("data.pkl"); empty for the whole file.
  Input(std::string path, std::string part, std::span<const std::byte> bytes)
      : path_(std::move(path)), part_(std::move(part)), bytes_(bytes) {}

  std::span<const std::byte> bytes() const { return bytes_; }
  const std::string& path() const { return path_; }
  // Throws FileError (ExitCode::kModel) that names the file, the part and the byte.
  [[noreturn]] void fail(uint64_t offset, const std::string& problem) const;
  [[noreturn]] void fail(const std::string& problem) const;  // the file as a whole

 private:
  std::string path_;
  std::string part_;
  std::span<const std::byte> bytes_;
};

inline std::string_view as_text(std::span<const std::byte> bytes) {
  const void* data = bytes.data();
  return {static_cast<const char*>(data), bytes.size()};
}

// Reads little-endian numbers and runs of bytes front to back; every read is bounds-checked.
class Cursor {
 public:
  Cursor(const Input& input, uint64_t position) : input_(&input), position_(position) {}

  uint64_t position() const { return position_; }
  uint64_t remaining() const { return input_->bytes().size() - position_; }
  bool at_end() const { return remaining() == 0; }

  std::span<const std::byte> take(uint64_t count) {
    if (position_ > input_->bytes().size() || count > remaining()) truncated(count);
    const auto result =
        input_->bytes().subspan(static_cast<size_t>(position_), static_cast<size_t>(count));
    position_ += count;
    return result;
  }
  void skip(uint64_t count) { take(count); }
  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  // Text up to the next line feed, which is consumed. At most `limit` bytes.
  std::string_view line(size_t limit);

 private:
  [[noreturn]] void truncated(uint64_t wanted) const;

  const Input* input_;
  uint64_t position_;
};

}  // namespace mrcnn::pth
