#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <mutex>
#include <set>
#include <span>

#include "core/io/input_file.h"
#include "core/io/limits.h"
#include "core/io/safetensors.h"
#include "core/io/sha256.h"
#include "core/parallel.h"
#include "tools/trainer/checkpoint_file.h"
#include "tools/trainer/checkpoint_format.h"

namespace mrcnn {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& place,
                       const std::string& problem) {
  throw FileError(ExitCode::kModel, path, place, problem);
}

const std::string* find_metadata(const TensorArchive& archive, std::string_view key) {
  const auto found = archive.metadata.find(std::string(key));
  return found == archive.metadata.end() ? nullptr : &found->second;
}

std::string_view text_of(const FileBytes& file) {
  const void* data = file.bytes.data();
  return {static_cast<const char*>(data), file.bytes.size()};
}

void check_version(const TensorArchive& archive, const std::string& path) {
  const std::string& text = *find_metadata(archive, checkpoint_key::kVersion);
  int64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc{} || end != text.data() + text.size() || version < 1) {
    fail(path, "", fmt::format("its format version '{}' is no number", text));
  }
  if (version > kCheckpointVersion) {
    throw CheckpointVersionError(
        ExitCode::kModel, path, "",
        fmt::format(
            "has format version {}; this program knows versions up to {}. A newer one wrote "
            "it and can read it",
            version, kCheckpointVersion));
  }
}

// A parsed file whose header is proven. `digests` has one entry per tensor.
struct ProvenHeader {
  TensorArchive archive;
  std::vector<std::string> digests;
};

ProvenHeader prove_header(const FileBytes& file, const std::string& path) {
  ProvenHeader proven{parse_safetensors(file, path), {}};
  if (!is_checkpoint(proven.archive)) fail(path, "", "is no checkpoint of a training run");
  uint64_t length = 0;
  std::memcpy(&length, file.bytes.data(), sizeof(length));
  if (!is_sealed(text_of(file).substr(0, sizeof(length) + static_cast<size_t>(length)))) {
    fail(path, "safetensors header", "is damaged: its SHA-256 is not the stored one");
  }
  check_version(proven.archive, path);
  const std::string* list = find_metadata(proven.archive, checkpoint_key::kTensorSha256);
  std::string_view rest = list == nullptr ? std::string_view{} : *list;
  while (!rest.empty()) {
    const size_t space = std::min(rest.find(' '), rest.size());
    proven.digests.emplace_back(rest.substr(0, space));
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  if (proven.digests.size() != proven.archive.tensors.size()) {
    fail(path, "metadata train/tensor_sha256", "is not one digest per tensor");
  }
  return proven;
}

// `chosen` are indices of the archive's tensors.
void verify(const ProvenHeader& proven, const std::vector<size_t>& chosen,
            const std::string& path) {
  std::vector<std::string> damaged;
  std::mutex mutex;
  // Waking threads up takes longer than hashing a small file.
  constexpr size_t kSmallBytes = size_t{1} << 16;
  size_t bytes = 0;
  for (const size_t index : chosen) bytes += proven.archive.tensors[index].bytes.size();
  const int64_t count = static_cast<int64_t>(chosen.size());
  parallel_for(0, count, bytes < kSmallBytes ? std::max<int64_t>(count, 1) : 1,
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const size_t index = chosen[static_cast<size_t>(i)];
                   const FileTensor& tensor = proven.archive.tensors[index];
                   if (sha256_hex(tensor.bytes) == proven.digests[index]) continue;
                   const std::lock_guard lock(mutex);
                   damaged.push_back(tensor.name);
                 }
               });
  if (damaged.empty()) return;
  std::sort(damaged.begin(), damaged.end());
  fail(path, "",
       fmt::format("is damaged: the SHA-256 of {} of {} tensors is not the stored one, '{}' first",
                   damaged.size(), chosen.size(), damaged.front()));
}

bool is_weight(const FileTensor& tensor) { return tensor.name.find('/') == std::string::npos; }

}  // namespace

TensorArchive read_checkpoint(const std::string& path) {
  return parse_checkpoint(read_file(path, ExitCode::kModel), path);
}

TensorArchive parse_checkpoint(const FileBytes& file, const std::string& path) {
  ProvenHeader proven = prove_header(file, path);
  std::vector<size_t> all(proven.archive.tensors.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  verify(proven, all, path);
  return std::move(proven.archive);
}

bool has_checkpoint_header(const std::string& path) {
  try {
    InputFile file(path, ExitCode::kModel);
    std::string prologue(sizeof(uint64_t), '\0');
    uint64_t length = 0;
    const std::span<std::byte> first = std::as_writable_bytes(std::span(prologue));
    if (file.read(first) < first.size()) return false;
    std::memcpy(&length, prologue.data(), sizeof(length));
    if (length > file.size() || length > static_cast<uint64_t>(kLimits.safetensors.header_bytes)) {
      return false;
    }
    prologue.resize(sizeof(length) + static_cast<size_t>(length));
    const std::span<std::byte> header =
        std::as_writable_bytes(std::span(prologue)).subspan(sizeof(length));
    return file.read(header) == header.size() && is_sealed(prologue);
  } catch (const FileError&) {
    return false;
  }
}

bool is_checkpoint(const TensorArchive& archive) {
  return find_metadata(archive, checkpoint_key::kVersion) != nullptr;
}

TensorArchive checkpoint_weights(const FileBytes& file, const std::string& path) {
  const ProvenHeader proven = prove_header(file, path);
  std::set<std::string, std::less<>> averaged;
  for (const FileTensor& tensor : proven.archive.tensors) {
    if (tensor.name.starts_with(kEmaPrefix)) averaged.insert(tensor.name.substr(kEmaPrefix.size()));
  }
  TensorArchive weights;
  std::vector<size_t> chosen;
  for (size_t i = 0; i < proven.archive.tensors.size(); ++i) {
    FileTensor tensor = proven.archive.tensors[i];
    const bool is_mean = tensor.name.starts_with(kEmaPrefix);
    if (!is_mean && (!is_weight(tensor) || averaged.contains(tensor.name))) continue;
    if (is_mean) tensor.name.erase(0, kEmaPrefix.size());
    chosen.push_back(i);
    weights.tensors.push_back(std::move(tensor));
  }
  verify(proven, chosen, path);
  for (const auto& [key, value] : proven.archive.metadata) {
    if (!key.starts_with(checkpoint_key::kPrefix)) weights.metadata.emplace(key, value);
  }
  weights.owners = proven.archive.owners;
  return weights;
}

TensorArchive tensors_under(const TensorArchive& archive, std::string_view prefix) {
  TensorArchive part;
  part.owners = archive.owners;
  for (FileTensor tensor : archive.tensors) {
    if (prefix.empty() ? !is_weight(tensor) : !tensor.name.starts_with(prefix)) continue;
    tensor.name.erase(0, prefix.size());
    part.tensors.push_back(std::move(tensor));
  }
  return part;
}

}  // namespace mrcnn
