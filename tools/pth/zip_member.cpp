#include <fmt/format.h>
#define ZLIB_CONST  // input pointers are const
#include <zlib.h>

#include <algorithm>

#include "tools/pth/zip.h"

namespace mrcnn::pth {
namespace {

const Bytef* zlib_bytes(std::span<const std::byte> bytes) {
  const void* data = bytes.data();
  return static_cast<const Bytef*>(data);
}

// zlib counts in 32 bits.
constexpr size_t kStep = size_t{1} << 30;

class Inflater {
 public:
  Inflater(const Input& file, const ZipMember& member) : file_(file), member_(member) {
    constexpr int kRawDeflate = -MAX_WBITS;
    if (inflateInit2(&stream_, kRawDeflate) != Z_OK) fail("no memory to unpack it");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Fills `output` exactly and uses up `input` exactly.
  void run(std::span<const std::byte> input, std::span<std::byte> output) {
    // zlib wants a place to write to even when nothing is expected.
    Bytef spare = 0;
    int result = Z_OK;
    while (result == Z_OK) {
      const size_t in = std::min(input.size(), kStep);
      const size_t out = std::min(output.size(), kStep);
      void* target = output.empty() ? static_cast<void*>(&spare) : output.data();
      stream_.next_in = zlib_bytes(input);
      stream_.avail_in = static_cast<uInt>(in);
      stream_.next_out = static_cast<Bytef*>(target);
      stream_.avail_out = output.empty() ? 1 : static_cast<uInt>(out);
      const uInt room = stream_.avail_out;
      result = inflate(&stream_, Z_NO_FLUSH);
      const size_t written = room - stream_.avail_out;
      if (written > output.size()) fail("it unpacks to more than its size");
      input = input.subspan(in - stream_.avail_in);
      output = output.subspan(written);
    }
    if (result != Z_STREAM_END || !output.empty() || !input.empty()) {
      fail("its packed data is damaged");
    }
  }

 private:
  [[noreturn]] void fail(const char* problem) const {
    file_.fail(member_.data_offset, fmt::format("member {}: {}", member_.name, problem));
  }

  const Input& file_;
  const ZipMember& member_;
  z_stream stream_{};
};

uint32_t crc_of(std::span<const std::byte> bytes) {
  uLong crc = crc32(0, nullptr, 0);
  while (!bytes.empty()) {
    const size_t count = std::min(bytes.size(), kStep);
    crc = crc32(crc, zlib_bytes(bytes), static_cast<uInt>(count));
    bytes = bytes.subspan(count);
  }
  return static_cast<uint32_t>(crc);
}

}  // namespace

ZipContent read_zip_member(const Input& file, const ZipMember& member, bool check_crc) {
  ZipContent content;
  content.bytes = file.bytes().subspan(static_cast<size_t>(member.data_offset),
                                       static_cast<size_t>(member.stored_bytes));
  if (member.method != 0) {
    const auto size = static_cast<size_t>(member.bytes);
    const auto buffer = std::make_shared_for_overwrite<std::byte[]>(size);
    Inflater(file, member).run(content.bytes, {buffer.get(), size});
    content = {{buffer.get(), size}, buffer};
  }
  if (check_crc) {
    const uint32_t crc = crc_of(content.bytes);
    if (crc != member.crc) {
      file.fail(member.data_offset,
                fmt::format("member {} is damaged: its CRC-32 is {:08x}, the archive says {:08x}; "
                            "fetch the file again, or use --no-crc if it was saved without them",
                            member.name, crc, member.crc));
    }
  }
  return content;
}

}  // namespace mrcnn::pth
