#include "tools/pth/zip.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "tools/pth/limits.h"

namespace mrcnn::pth {
namespace {

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kEntrySignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kZip64EndSignature = 0x06064b50;
constexpr uint32_t kZip64LocatorSignature = 0x07064b50;
constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kZip64EndBytes = 56;
constexpr uint64_t kZip64LocatorBytes = 20;
constexpr uint32_t kIn64 = 0xffffffff;  // the value is in the ZIP64 record
constexpr uint16_t kEncrypted = 1;
constexpr uint16_t kHasDescriptor = 1U << 3U;
constexpr uint16_t kZip64Extra = 0x0001;

struct Directory {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  uint64_t entries = 0;
};

class DirectoryReader {
 public:
  explicit DirectoryReader(const Input& file) : file_(file) {}

  ZipArchive read() {
    const Directory directory = find_directory();
    ZipArchive archive;
    Cursor cursor(file_, directory.offset);
    for (uint64_t i = 0; i < directory.entries; ++i) {
      archive.members.push_back(read_entry(cursor));
      const ZipMember& member = archive.members.back();
      if (!archive.index.emplace(member.name, archive.members.size() - 1).second) {
        file_.fail(fmt::format("the archive has two members {}", member.name));
      }
    }
    if (cursor.position() != directory.offset + directory.bytes) {
      file_.fail(cursor.position(), "the archive's directory does not end after its last entry");
    }
    for (ZipMember& member : archive.members) read_local_header(member, directory);
    check_cover(archive, directory.offset);
    return archive;
  }

 private:
  uint32_t signature_at(uint64_t offset) const { return Cursor(file_, offset).number<uint32_t>(); }

  // The end record is the last thing in the file, up to a comment.
  uint64_t find_end() const {
    const uint64_t size = file_.bytes().size();
    const uint64_t lowest = size > kEndBytes + 0xffff ? size - kEndBytes - 0xffff : 0;
    uint64_t junk_end = 0;
    for (uint64_t at = size < kEndBytes ? 0 : size - kEndBytes + 1; at-- > lowest;) {
      if (signature_at(at) != kEndSignature) continue;
      const uint64_t end = at + kEndBytes + Cursor(file_, at + 20).number<uint16_t>();
      if (end == size) return at;
      if (junk_end == 0 && end < size) junk_end = end;
    }
    if (junk_end != 0) {
      file_.fail(junk_end, fmt::format("{} bytes of junk follow the archive", size - junk_end));
    }
    file_.fail("the archive has no end record: it is incomplete or damaged; fetch it again");
  }

  Directory find_directory() const {
    const uint64_t end = find_end();
    Cursor cursor(file_, end + 4);
    const auto disk = cursor.number<uint16_t>();
    const auto first_disk = cursor.number<uint16_t>();
    const auto entries_here = cursor.number<uint16_t>();
    Directory directory;
    directory.entries = cursor.number<uint16_t>();
    directory.bytes = cursor.number<uint32_t>();
    directory.offset = cursor.number<uint32_t>();
    uint64_t directory_end = end;
    const bool has_zip64 = end >= kZip64LocatorBytes &&
                           signature_at(end - kZip64LocatorBytes) == kZip64LocatorSignature;
    if (has_zip64) directory_end = read_zip64(end - kZip64LocatorBytes, directory);
    const bool is_in_zip64 =
        directory.entries == 0xffff || directory.bytes == kIn64 || directory.offset == kIn64;
    if (disk != 0 || first_disk != 0 || (!has_zip64 && entries_here != directory.entries)) {
      file_.fail(end, "the archive is split over several files");
    }
    if (!has_zip64 && is_in_zip64) file_.fail(end, "the archive's ZIP64 record is missing");
    if (directory.entries > kLimits.zip_entries) {
      file_.fail(end, fmt::format("the archive claims {} members", directory.entries));
    }
    if (directory.bytes > directory_end || directory.offset != directory_end - directory.bytes) {
      file_.fail(end, fmt::format("the archive's directory of {} bytes at {} does not lie before "
                                  "its end record",
                                  directory.bytes, directory.offset));
    }
    return directory;
  }

  // Returns where the ZIP64 record begins. Classic values that are not full must agree with it.
  uint64_t read_zip64(uint64_t locator, Directory& directory) const {
    Cursor cursor(file_, locator + 4);
    const auto disk = cursor.number<uint32_t>();
    const auto record = cursor.number<uint64_t>();
    const auto disks = cursor.number<uint32_t>();
    if (disk != 0 || disks > 1) file_.fail(locator, "the archive is split over several files");
    if (locator < kZip64EndBytes || record != locator - kZip64EndBytes ||
        signature_at(record) != kZip64EndSignature) {
      file_.fail(locator, "the archive's ZIP64 record is not where it should be");
    }
    cursor = Cursor(file_, record + 32);
    const Directory wide{.offset = 0, .bytes = 0, .entries = cursor.number<uint64_t>()};
    const auto bytes = cursor.number<uint64_t>();
    const auto offset = cursor.number<uint64_t>();
    const auto agree = [](uint64_t classic, uint64_t full, uint64_t value) {
      return classic == full || classic == value;
    };
    if (!agree(directory.entries, 0xffff, wide.entries) || !agree(directory.bytes, kIn64, bytes) ||
        !agree(directory.offset, kIn64, offset)) {
      file_.fail(record, "the archive's two end records disagree");
    }
    directory = {.offset = offset, .bytes = bytes, .entries = wide.entries};
    return record;
  }

  ZipMember read_entry(Cursor& cursor) const {
    const uint64_t start = cursor.position();
    if (cursor.number<uint32_t>() != kEntrySignature) {
      file_.fail(start, "the archive's directory is damaged");
    }
    ZipMember member;
    cursor.skip(4);  // versions
    member.flags = cursor.number<uint16_t>();
    member.method = cursor.number<uint16_t>();
    cursor.skip(4);  // time and date
    member.crc = cursor.number<uint32_t>();
    member.stored_bytes = cursor.number<uint32_t>();
    member.bytes = cursor.number<uint32_t>();
    const auto name_bytes = cursor.number<uint16_t>();
    const auto extra_bytes = cursor.number<uint16_t>();
    const auto comment_bytes = cursor.number<uint16_t>();
    const auto disk = cursor.number<uint16_t>();
    cursor.skip(6);  // attributes
    member.header_offset = cursor.number<uint32_t>();
    member.name = as_text(cursor.take(name_bytes));
    check_name(start, member.name);
    read_extra(as_text(cursor.take(extra_bytes)), start, member);
    cursor.skip(comment_bytes);
    if (disk != 0) file_.fail(start, "the archive is split over several files");
    check_method(start, member);
    return member;
  }

  void check_name(uint64_t at, std::string_view name) const {
    const bool is_odd = name.empty() || name.size() > kLimits.member_name_bytes ||
                        name.find('\0') != name.npos || name.find('\\') != name.npos ||
                        !simdjson::validate_utf8(name.data(), name.size());
    if (is_odd) file_.fail(at, "the name of a member is empty, too long or not plain text");
    for (size_t begin = 0; begin <= name.size();) {
      const size_t end = std::min(name.find('/', begin), name.size());
      const std::string_view part = name.substr(begin, end - begin);
      const bool is_directory_end = part.empty() && begin == name.size() && begin > 0;
      if (part == ".." || (part.empty() && !is_directory_end)) {
        file_.fail(at, fmt::format("the name of a member, {}, is not a plain path", name));
      }
      begin = end + 1;
    }
  }

  void read_extra(std::string_view extra, uint64_t at, ZipMember& member) const {
    while (extra.size() >= 4) {
      uint16_t head[2];
      std::memcpy(head, extra.data(), sizeof(head));
      if (head[1] > extra.size() - 4) break;
      if (head[0] == kZip64Extra) read_zip64_extra(extra.substr(4, head[1]), at, member);
      extra.remove_prefix(size_t{4} + head[1]);
    }
    if (member.bytes == kIn64 || member.stored_bytes == kIn64 || member.header_offset == kIn64) {
      file_.fail(at, fmt::format("member {} lacks its ZIP64 sizes", member.name));
    }
  }

  void read_zip64_extra(std::string_view extra, uint64_t at, ZipMember& member) const {
    for (uint64_t* value : {&member.bytes, &member.stored_bytes, &member.header_offset}) {
      if (*value != kIn64) continue;
      if (extra.size() < 8) file_.fail(at, "a ZIP64 field of the directory is too short");
      std::memcpy(value, extra.data(), 8);
      extra.remove_prefix(8);
    }
  }

  void check_method(uint64_t at, const ZipMember& member) const {
    if ((member.flags & kEncrypted) != 0) {
      file_.fail(at, fmt::format("member {} is encrypted", member.name));
    }
    if (member.method != 0 && member.method != 8) {
      file_.fail(at, fmt::format("member {} is packed by method {}; only stored and deflated "
                                 "members can be read",
                                 member.name, member.method));
    }
    if (member.method == 0 && member.bytes != member.stored_bytes) {
      file_.fail(at, fmt::format("member {} has two sizes", member.name));
    }
    if (member.bytes > kLimits.inflate_free_bytes &&
        member.bytes / kLimits.inflate_ratio > member.stored_bytes) {
      file_.fail(at, fmt::format("member {} would unpack {} bytes to {}", member.name,
                                 member.stored_bytes, member.bytes));
    }
  }

  void read_local_header(ZipMember& member, const Directory& directory) const {
    const uint64_t start = member.header_offset;
    if (start >= directory.offset) {
      file_.fail(
          fmt::format("member {} is said to begin at byte {}, past the data", member.name, start));
    }
    Cursor cursor(file_, start);
    if (cursor.number<uint32_t>() != kLocalSignature) {
      file_.fail(start, fmt::format("member {} does not begin here", member.name));
    }
    cursor.skip(2);  // version
    const auto flags = cursor.number<uint16_t>();
    const auto method = cursor.number<uint16_t>();
    cursor.skip(4);  // time and date
    const auto crc = cursor.number<uint32_t>();
    const auto stored_bytes = cursor.number<uint32_t>();
    const auto bytes = cursor.number<uint32_t>();
    const auto name_bytes = cursor.number<uint16_t>();
    const auto extra_bytes = cursor.number<uint16_t>();
    const std::string_view name = as_text(cursor.take(name_bytes));
    cursor.skip(extra_bytes);
    const bool has_sizes = (flags & kHasDescriptor) == 0;
    const bool sizes_agree =
        !has_sizes ||
        (crc == member.crc && (stored_bytes == member.stored_bytes || stored_bytes == kIn64) &&
         (bytes == member.bytes || bytes == kIn64));
    if (name != member.name || flags != member.flags || method != member.method || !sizes_agree) {
      file_.fail(start,
                 fmt::format("the header of member {} differs from the directory", member.name));
    }
    member.data_offset = cursor.position();
    if (member.stored_bytes > directory.offset - std::min(directory.offset, member.data_offset)) {
      file_.fail(start, fmt::format("member {} of {} bytes reaches past the data; the file is "
                                    "incomplete or damaged",
                                    member.name, member.stored_bytes));
    }
  }

  // Between members there is nothing but the descriptors that follow some of them.
  void check_cover(const ZipArchive& archive, uint64_t data_end) const {
    std::vector<const ZipMember*> order;
    for (const ZipMember& member : archive.members) order.push_back(&member);
    std::sort(order.begin(), order.end(), [](const ZipMember* a, const ZipMember* b) {
      return a->header_offset < b->header_offset;
    });
    uint64_t end = 0;
    bool may_have_descriptor = false;
    for (size_t i = 0; i <= order.size(); ++i) {
      const uint64_t begin = i < order.size() ? order[i]->header_offset : data_end;
      if (begin < end) file_.fail(begin, "two members of the archive overlap");
      const uint64_t gap = begin - end;
      const bool is_descriptor =
          may_have_descriptor && (gap == 12 || gap == 16 || gap == 20 || gap == 24);
      if (gap != 0 && !is_descriptor) {
        file_.fail(end, fmt::format("{} bytes belong to no member of the archive", gap));
      }
      if (i == order.size()) break;
      end = order[i]->data_offset + order[i]->stored_bytes;
      may_have_descriptor = (order[i]->flags & kHasDescriptor) != 0;
    }
  }

  const Input& file_;
};

}  // namespace

ZipArchive read_zip_directory(const Input& file) { return DirectoryReader(file).read(); }

}  // namespace mrcnn::pth
