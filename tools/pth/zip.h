// The directory of a ZIP archive and its members. Stored and deflated members, ZIP64.
// Stricter than most readers, so that no two readers can see different content: every byte of the
// file belongs to one member or to the directory, and local headers agree with the directory.
// Source: PKWARE APPNOTE 6.3.9.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tools/pth/input.h"

namespace mrcnn::pth {

struct ZipMember {
  std::string_view name;
  uint64_t header_offset = 0;
  uint64_t data_offset = 0;
  uint64_t stored_bytes = 0;
  uint64_t bytes = 0;  // unpacked
  uint32_t crc = 0;
  uint16_t flags = 0;
  uint16_t method = 0;
};

struct ZipArchive {
  std::vector<ZipMember> members;  // in the order of the directory
  std::unordered_map<std::string_view, size_t> index;

  const ZipMember* find(std::string_view name) const {
    const auto found = index.find(name);
    return found == index.end() ? nullptr : &members[found->second];
  }
};

ZipArchive read_zip_directory(const Input& file);

// A member's content: inside the file if stored, else unpacked into `owner`.
struct ZipContent {
  std::span<const std::byte> bytes;
  std::shared_ptr<const std::byte[]> owner;
};
ZipContent read_zip_member(const Input& file, const ZipMember& member, bool check_crc);

}  // namespace mrcnn::pth
