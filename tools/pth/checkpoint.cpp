#include "tools/pth/checkpoint.h"

#include <fmt/format.h>

#include <unordered_map>

namespace mrcnn::pth {

void check_storages_agree(const Input& pickle, const PickleGraph& graph) {
  std::unordered_map<std::string_view, const Storage*> seen;
  for (const Storage& storage : graph.storages) {
    const auto [found, is_new] = seen.emplace(storage.key, &storage);
    const Storage& first = *found->second;
    if (is_new || (first.type == storage.type && first.numel == storage.numel)) continue;
    pickle.fail(fmt::format("storage {} is both {} x {} and {} x {}", storage.key, first.numel,
                            first.type->name, storage.numel, storage.type->name));
  }
}

Checkpoint open_bare_pickle(const FileBytes& file, const std::string& path,
                            const OpenOptions& options) {
  Checkpoint checkpoint{.pickle = Input(path, "", file.bytes),
                        .file_bytes = file.bytes.size(),
                        .graph = {},
                        .root = 0,
                        .is_big_endian = false,
                        .storages = nullptr,
                        .file_owner = file.owner};
  const PickleResult result =
      read_pickle(checkpoint.pickle, 0,
                  {.storages = StorageReferences::kNone, .refuse_denied = options.refuse_denied},
                  checkpoint.graph);
  checkpoint.root = result.root;
  if (result.end != file.bytes.size()) {
    options.warn(fmt::format("{}: {} bytes after the pickle are ignored", path,
                             file.bytes.size() - result.end));
  }
  return checkpoint;
}

}  // namespace mrcnn::pth
