#include "data/coco/annotation_cache.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/input_file.h"
#include "core/io/sha256.h"

namespace mrcnn {
namespace {

// The last digits grow with every change of the tables or of what parsing makes of a file.
constexpr std::array<char, 16> kMagic = {'m', 'r', 'c', 'n', 'n', ' ', 'c', 'o',
                                         'c', 'o', ' ', '0', '0', '0', '1', '\n'};
constexpr uint64_t kByteOrder = 0x0102030405060708;
constexpr size_t kAlignment = 64;
constexpr size_t kNumArrays = 6;

struct Header {
  std::array<char, 16> magic = kMagic;
  uint64_t byte_order = kByteOrder;
  SourceStamp source;
  uint64_t settled = 0;
  Digest source_sha256{};
  Digest content{};
  std::array<uint64_t, kNumArrays> counts{};  // in the order of arrays_of()
  std::array<uint64_t, 7> unused{};
  uint64_t payload_checksum = 0;
  uint64_t header_checksum = 0;  // of all before it
};
static_assert(sizeof(Header) == 256 && sizeof(Header) % kAlignment == 0);

// Notices every damage within eight bytes, and any other but once in 2^64. Four sums side by side,
// because one would wait for its own multiplications.
class Checksum {
 public:
  void update(std::span<const std::byte> bytes) {
    while (bytes.size() >= sizeof(lanes_)) {
      for (size_t lane = 0; lane < lanes_.size(); ++lane) mix(lane, bytes.data() + 8 * lane);
      bytes = bytes.subspan(sizeof(lanes_));
    }
    if (bytes.empty()) return;
    std::array<std::byte, sizeof(lanes_)> rest{};
    std::memcpy(rest.data(), bytes.data(), bytes.size());
    for (size_t lane = 0; lane < lanes_.size(); ++lane) mix(lane, rest.data() + 8 * lane);
  }
  uint64_t value() const {
    uint64_t sum = 0;
    for (const uint64_t lane : lanes_) sum = std::rotl(sum ^ lane, 29) * kOdd;
    return sum;
  }

 private:
  static constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio

  void mix(size_t lane, const std::byte* bytes) {
    uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof(word));
    lanes_[lane] = std::rotl(lanes_[lane] + word * kOdd, 31) * kOdd;
  }

  std::array<uint64_t, 4> lanes_ = {1, 2, 3, 4};
};

uint64_t header_checksum(const Header& header) {
  Checksum checksum;
  checksum.update(
      std::as_bytes(std::span(&header, 1)).first(sizeof(Header) - sizeof(header.header_checksum)));
  return checksum.value();
}

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

std::array<std::span<const std::byte>, kNumArrays> arrays_of(const AnnotationTables& tables) {
  return {std::as_bytes(tables.categories), std::as_bytes(tables.images),
          std::as_bytes(tables.objects),    std::as_bytes(tables.by_image),
          std::as_bytes(tables.geometry),   std::as_bytes(tables.names)};
}

struct Mapping {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

std::optional<Mapping> map_file(const std::string& path) {
  try {
    const InputFile file(path, ExitCode::kData);
    const size_t size = file.size();
    if (size == 0) return std::nullopt;
    // All pages at once: one by one, their faults would take longer than the checks.
    void* address =
        ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.descriptor(), 0);
    if (address == MAP_FAILED) return std::nullopt;
    const auto* bytes = static_cast<const std::byte*>(address);
    return Mapping{{bytes, size}, {address, [size](void* p) { ::munmap(p, size); }}};
  } catch (const FileError&) {
    return std::nullopt;
  }
}

// Takes `count` rows off the front of `bytes` and what fills them up to the alignment.
template <typename Row>
bool take_rows(std::span<const std::byte>& bytes, uint64_t count, std::span<const Row>& rows) {
  if (count > bytes.size() / sizeof(Row)) return false;
  const size_t padded = aligned(count * sizeof(Row));
  if (padded > bytes.size()) return false;
  rows = {static_cast<const Row*>(static_cast<const void*>(bytes.data())), count};
  bytes = bytes.subspan(padded);
  return true;
}

struct Kept {
  Header header;
  AnnotationTables tables;
};

std::optional<Kept> read_kept(const std::string& path) {
  const std::optional<Mapping> mapping = map_file(path);
  if (!mapping || mapping->bytes.size() < sizeof(Header)) return std::nullopt;
  Kept kept;
  Header& header = kept.header;
  std::memcpy(&header, mapping->bytes.data(), sizeof(Header));
  if (header.magic != kMagic || header.byte_order != kByteOrder ||
      header.header_checksum != header_checksum(header)) {
    return std::nullopt;
  }
  std::span<const std::byte> rest = mapping->bytes.subspan(sizeof(Header));
  Checksum checksum;
  checksum.update(rest);
  if (header.payload_checksum != checksum.value()) return std::nullopt;
  AnnotationTables& tables = kept.tables;
  tables.content = header.content;
  tables.owner = mapping->owner;
  const bool fits = take_rows(rest, header.counts[0], tables.categories) &&
                    take_rows(rest, header.counts[1], tables.images) &&
                    take_rows(rest, header.counts[2], tables.objects) &&
                    take_rows(rest, header.counts[3], tables.by_image) &&
                    take_rows(rest, header.counts[4], tables.geometry) &&
                    take_rows(rest, header.counts[5], tables.names);
  if (!fits || !rest.empty() || !is_consistent(tables)) return std::nullopt;
  return kept;
}

Digest hash_source(SourceFile& source) {
  std::vector<char> buffer(size_t{1} << 20);
  Sha256 hash;
  source.rewind();
  for (size_t count = source.read(buffer); count > 0; count = source.read(buffer)) {
    hash.update(std::as_bytes(std::span(buffer).first(count)));
  }
  source.rewind();
  return hash.finish();
}

}  // namespace

AnnotationCache::AnnotationCache(const std::string& directory, const std::string& source_path) {
  if (directory.empty()) return;
  std::error_code error;
  const std::filesystem::path source = std::filesystem::canonical(source_path, error);
  if (error) return;
  const std::string& text = source.native();
  const std::string hash = sha256_hex(std::as_bytes(std::span(text))).substr(0, 16);
  path_ = fmt::format("{}/annotations/{}-{}.tables", directory, source.stem().string(), hash);
}

std::optional<AnnotationTables> AnnotationCache::load(SourceFile& source) const {
  if (path_.empty()) return std::nullopt;
  std::optional<Kept> kept = read_kept(path_);
  if (!kept) return std::nullopt;
  const Header& header = kept->header;
  if (header.settled == 1 && header.source == source.stamp()) return std::move(kept->tables);
  if (header.source.size != source.stamp().size) return std::nullopt;
  const Digest digest = hash_source(source);
  source.check_unchanged();
  if (header.source_sha256 != digest) return std::nullopt;
  if (source.is_settled()) store(kept->tables, source, digest);
  return std::move(kept->tables);
}

bool AnnotationCache::store(const AnnotationTables& tables, const SourceFile& source,
                            const Digest& source_sha256) const {
  if (path_.empty()) return false;
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
  if (error) return false;
  Header header;
  header.source = source.stamp();
  header.settled = source.is_settled() ? 1 : 0;
  header.source_sha256 = source_sha256;
  header.content = content_of(tables);
  header.counts = {tables.categories.size(), tables.images.size(),   tables.objects.size(),
                   tables.by_image.size(),   tables.geometry.size(), tables.names.size()};
  constexpr std::array<std::byte, kAlignment> kZeros{};
  const auto padding_of = [&kZeros](std::span<const std::byte> bytes) {
    return std::span(kZeros).first(aligned(bytes.size()) - bytes.size());
  };
  // Every array is a whole number of the checksum's steps long, as the payload in one is.
  static_assert(kAlignment % 32 == 0);
  Checksum checksum;
  size_t size = sizeof(Header);
  for (const std::span<const std::byte> array : arrays_of(tables)) {
    const size_t whole = array.size() / kAlignment * kAlignment;
    std::array<std::byte, kAlignment> last{};
    std::copy(array.begin() + static_cast<std::ptrdiff_t>(whole), array.end(), last.begin());
    checksum.update(array.first(whole));
    if (whole < array.size()) checksum.update(last);
    size += aligned(array.size());
  }
  header.payload_checksum = checksum.value();
  header.header_checksum = header_checksum(header);
  try {
    AtomicFile file(path_);
    file.reserve(static_cast<int64_t>(size));
    file.write(std::as_bytes(std::span(&header, 1)));
    for (const std::span<const std::byte> array : arrays_of(tables)) {
      file.write(array);
      file.write(padding_of(array));
    }
    file.commit();
    return true;
  } catch (const Error&) {
    return false;  // no room, or a directory that must not be written to
  }
}

}  // namespace mrcnn
