// Makes small checkpoints byte by byte, valid ones and broken ones.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/io/file.h"
#include "tools/weights.h"

namespace mrcnn::test {

template <typename T>
std::string little(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

// Opcodes of pickle protocol 2.
inline std::string str(const std::string& text) {
  return "X" + little(static_cast<uint32_t>(text.size())) + text;
}
inline std::string num(int64_t value) { return "\x8a\x08" + little(value); }
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::vector<int64_t>& values) {
  std::string out = "(";
  for (const int64_t value : values) out += num(value);
  return out + "t";
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out += str(key) + value;
  return out + "u";
}
inline std::string pickle(const std::string& body) { return "\x80\x02" + body + "."; }

struct StorageSpec {
  std::string type = "FloatStorage";
  std::string key = "0";
  int64_t numel = 6;
};
// With a view (legacy files) the reference has a sixth entry.
inline std::string storage(const StorageSpec& spec, const std::string& view = "") {
  return "(" + str("storage") + global("torch", spec.type) + str(spec.key) + str("cpu") +
         num(spec.numel) + view + "tQ";
}

inline const std::string kHooks = global("collections", "OrderedDict") + ")R";

inline std::string tensor_of(const std::string& storage_reference, int64_t offset,
                             const std::vector<int64_t>& sizes,
                             const std::vector<int64_t>& strides) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + storage_reference + num(offset) +
         tuple(sizes) + tuple(strides) + "\x89" + kHooks + "tR";
}

inline uint32_t crc32_of(const std::string& text) {
  uint32_t crc = ~uint32_t{0};
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xedb88320U & (~(crc & 1U) + 1U));
  }
  return ~crc;
}

struct Member {
  std::string name;
  std::string data;
  std::string stored{};  // packed data; the data itself if empty
  uint16_t method = 0;
  uint16_t flags = 0;
  uint16_t local_flags = 0xffff;  // as flags
  uint32_t crc_xor = 0;
  std::string local_name{};  // as name
};

struct ZipTweaks {
  uint16_t more_entries = 0;
  uint16_t disk = 0;
  int64_t directory_shift = 0;
  std::string before{};
  std::string after{};
  bool no_crc = false;
};

inline std::string zip(const std::vector<Member>& members, const ZipTweaks& tweaks = {}) {
  std::string file = tweaks.before;
  std::string directory;
  for (const Member& member : members) {
    const std::string& stored = member.stored.empty() ? member.data : member.stored;
    const uint32_t crc = tweaks.no_crc ? 0 : crc32_of(member.data) ^ member.crc_xor;
    const std::string sizes = little(crc) + little(static_cast<uint32_t>(stored.size())) +
                              little(static_cast<uint32_t>(member.data.size()));
    const std::string& local_name = member.local_name.empty() ? member.name : member.local_name;
    const uint16_t local_flags = member.local_flags == 0xffff ? member.flags : member.local_flags;
    const std::string offset = little(static_cast<uint32_t>(file.size()));
    file += "PK\x03\x04" + std::string(2, '\0') + little(local_flags) + little(member.method) +
            std::string(4, '\0') + sizes + little(static_cast<uint16_t>(local_name.size())) +
            std::string(2, '\0') + local_name + stored;
    directory += "PK\x01\x02" + std::string(4, '\0') + little(member.flags) +
                 little(member.method) + std::string(4, '\0') + sizes +
                 little(static_cast<uint16_t>(member.name.size())) + std::string(12, '\0') +
                 offset + member.name;
  }
  const auto at = static_cast<uint32_t>(static_cast<int64_t>(file.size()) + tweaks.directory_shift);
  const auto count = static_cast<uint16_t>(members.size() + tweaks.more_entries);
  return file + directory + "PK\x05\x06" + little(tweaks.disk) + little(tweaks.disk) +
         little(count) + little(count) + little(static_cast<uint32_t>(directory.size())) +
         little(at) + std::string(2, '\0') + tweaks.after;
}

inline const std::string kSixFloats = [] {
  std::string bytes;
  for (int i = 0; i < 6; ++i) bytes += little(static_cast<float>(i));
  return bytes;
}();

// The members of a .pth around a pickle body and the data of storage 0.
inline std::vector<Member> checkpoint_members(const std::string& body,
                                              const std::string& data = kSixFloats) {
  return {{.name = "a/data.pkl", .data = pickle(body)},
          {.name = "a/data/0", .data = data},
          {.name = "a/version", .data = "3\n"}};
}
inline std::string checkpoint(const std::string& body, const std::string& data = kSixFloats) {
  return zip(checkpoint_members(body, data));
}

inline const std::string kGoodTensor = tensor_of(storage({}), 0, {2, 3}, {3, 1});
inline const std::string kGoodBody = dict({{"w", kGoodTensor}});

inline FileBytes as_file(const std::string& bytes) {
  const auto copy = std::make_shared<std::vector<std::byte>>(bytes.size());
  if (!bytes.empty()) std::memcpy(copy->data(), bytes.data(), bytes.size());
  return {std::span<const std::byte>(*copy), copy};
}

// "OK", or the message of the FileError with which the file was refused.
inline std::string outcome(const std::string& bytes, const ReadOptions& options = {}) {
  try {
    parse_weights(as_file(bytes), "t.pth", options);
    return "OK";
  } catch (const FileError& error) {
    return error.exit_code() == ExitCode::kModel ? error.what() : "wrong exit code";
  }
}

struct HostileCase {
  const char* name;
  std::string bytes;
  const char* message;  // words of the refusal, or "OK"
};

}  // namespace mrcnn::test
