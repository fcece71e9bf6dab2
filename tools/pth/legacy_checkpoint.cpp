// The container of torch 0.2 to 1.5: pickles of magic number, protocol, system facts, the object
// and the sorted storage keys, then per key its length and its raw bytes.
// Source: PyTorch 2.x, torch/serialization.py, _legacy_load and _legacy_save.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "tools/pth/checkpoint.h"
#include "tools/pth/limits.h"

namespace mrcnn::pth {
namespace {

constexpr uint64_t kMagicBytes = 15;  // the pickled magic number; the caller has compared it
constexpr int64_t kProtocol = 1001;

class LegacyStorages final : public StorageSource {
 public:
  LegacyStorages(const Input& file, std::shared_ptr<const void> owner)
      : file_(file), owner_(std::move(owner)) {}

  std::vector<std::span<const std::byte>> load(const std::vector<std::string_view>& keys) override {
    std::vector<std::span<const std::byte>> bytes;
    for (const std::string_view key : keys) {
      const auto found = storages_.find(key);
      if (found == storages_.end()) file_.fail(fmt::format("storage {} is missing", key));
      bytes.push_back(found->second);
    }
    return bytes;
  }

  // Finds where each storage lies. `keys` are in the order of the data. Returns the end.
  uint64_t locate(uint64_t begin, const std::vector<std::string_view>& keys,
                  const PickleGraph& graph, bool is_big_endian) {
    std::unordered_map<std::string_view, const Storage*> wanted;
    for (const Storage& storage : graph.storages) wanted.emplace(storage.key, &storage);
    Cursor cursor(file_, begin);
    for (const std::string_view key : keys) {
      const auto found = wanted.find(key);
      if (found == wanted.end()) {
        file_.fail(begin, fmt::format("storage {} belongs to no tensor", key));
      }
      const Storage& storage = *found->second;
      const uint64_t at = cursor.position();
      const auto raw = cursor.number<uint64_t>();
      const auto numel = static_cast<int64_t>(is_big_endian ? __builtin_bswap64(raw) : raw);
      if (numel != storage.numel) {
        file_.fail(at, fmt::format("storage {} has {} elements here and {} in the pickle", key,
                                   numel, storage.numel));
      }
      const auto bytes = static_cast<uint64_t>(numel) * static_cast<uint64_t>(storage.type->bytes);
      if (!storages_.emplace(key, cursor.take(bytes)).second) {
        file_.fail(at, fmt::format("storage {} appears twice", key));
      }
    }
    if (storages_.size() != wanted.size()) {
      file_.fail(begin, fmt::format("the file lists {} storages, its tensors use {}",
                                    storages_.size(), wanted.size()));
    }
    return cursor.position();
  }

 private:
  Input file_;
  std::shared_ptr<const void> owner_;
  std::unordered_map<std::string_view, std::span<const std::byte>> storages_;
};

class LegacyReader {
 public:
  LegacyReader(const Input& file, const OpenOptions& options)
      : file_(file), refuse_denied_(options.refuse_denied) {}

  PickleResult next(StorageReferences storages, PickleGraph& graph) {
    const PickleResult result = read_pickle(
        file_, position_, {.storages = storages, .refuse_denied = refuse_denied_}, graph);
    position_ = result.end;
    return result;
  }

  void read_protocol() {
    PickleGraph graph;
    const Value value = graph_value(graph, next(StorageReferences::kNone, graph));
    if (value.kind != ValueKind::kInt || value.number != kProtocol) {
      file_.fail(kMagicBytes, "the file's protocol is not 1001");
    }
  }

  // Of the system facts only the byte order matters.
  bool read_is_big_endian() {
    PickleGraph graph;
    const uint64_t at = position_;
    const ValueId facts = next(StorageReferences::kNone, graph).root;
    if (!graph.is(facts, ValueKind::kDict)) file_.fail(at, "the system facts are not a dict");
    const std::span<const ValueId> items = graph.items(facts);
    for (size_t i = 0; i < items.size(); i += 2) {
      std::string_view key;
      if (!graph.text(items[i], key) || key != "little_endian") continue;
      if (!graph.is(items[i + 1], ValueKind::kBool)) file_.fail(at, "little_endian is not a bool");
      return graph[items[i + 1]].number == 0;
    }
    file_.fail(at, "the system facts lack little_endian");
  }

  std::vector<std::string_view> read_keys(PickleGraph& graph) {
    const uint64_t at = position_;
    const ValueId list = next(StorageReferences::kNone, graph).root;
    if (!graph.is(list, ValueKind::kList)) file_.fail(at, "the storage keys are not a list");
    std::vector<std::string_view> keys;
    for (const ValueId item : graph.items(list)) {
      std::string_view key;
      if (!graph.text(item, key)) file_.fail(at, "a storage key is not a string");
      keys.push_back(key);
    }
    return keys;
  }

  uint64_t position() const { return position_; }

 private:
  static Value graph_value(const PickleGraph& graph, const PickleResult& result) {
    return graph[result.root];
  }

  const Input& file_;
  bool refuse_denied_;
  uint64_t position_ = kMagicBytes;
};

}  // namespace

Checkpoint open_legacy_checkpoint(const FileBytes& file, const std::string& path,
                                  const OpenOptions& options) {
  Checkpoint checkpoint{.pickle = Input(path, "", file.bytes),
                        .file_bytes = file.bytes.size(),
                        .graph = {},
                        .root = 0,
                        .is_big_endian = false,
                        .storages = nullptr,
                        .file_owner = file.owner};
  LegacyReader reader(checkpoint.pickle, options);
  reader.read_protocol();
  checkpoint.is_big_endian = reader.read_is_big_endian();
  checkpoint.root = reader.next(StorageReferences::kLegacy, checkpoint.graph).root;
  check_storages_agree(checkpoint.pickle, checkpoint.graph);
  const std::vector<std::string_view> keys = reader.read_keys(checkpoint.graph);
  const auto storages = std::make_shared<LegacyStorages>(checkpoint.pickle, file.owner);
  const uint64_t end =
      storages->locate(reader.position(), keys, checkpoint.graph, checkpoint.is_big_endian);
  if (end != file.bytes.size()) {
    options.warn(fmt::format("{}: {} bytes after the last storage are ignored", path,
                             file.bytes.size() - end));
  }
  checkpoint.storages = storages;
  return checkpoint;
}

}  // namespace mrcnn::pth
