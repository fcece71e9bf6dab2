// A file that holds pickled objects, opened: the objects, and where the data of tensors lies.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/file.h"
#include "tools/pth/input.h"
#include "tools/pth/pickle.h"
#include "tools/pth/pickle_graph.h"

namespace mrcnn::pth {

using Warn = std::function<void(const std::string&)>;

struct OpenOptions {
  bool check_crc = true;
  bool refuse_denied = true;
  Warn warn = [](const std::string&) {};
};

// The bytes of stored buffers, by key.
class StorageSource {
 public:
  virtual ~StorageSource() = default;
  // Checks and unpacks the buffers of these keys; the bytes live as long as the source.
  virtual std::vector<std::span<const std::byte>> load(
      const std::vector<std::string_view>& keys) = 0;
};

struct Checkpoint {
  Input pickle;  // for messages
  uint64_t file_bytes = 0;
  PickleGraph graph;
  ValueId root = 0;
  bool is_big_endian = false;
  std::shared_ptr<StorageSource> storages;  // none for bare pickles
  std::shared_ptr<const void> file_owner;
};

Checkpoint open_zip_checkpoint(const FileBytes& file, const std::string& path,
                               const OpenOptions& options);
Checkpoint open_legacy_checkpoint(const FileBytes& file, const std::string& path,
                                  const OpenOptions& options);
Checkpoint open_bare_pickle(const FileBytes& file, const std::string& path,
                            const OpenOptions& options);

// One key always stands for one type and one length. Throws FileError otherwise.
void check_storages_agree(const Input& pickle, const PickleGraph& graph);

}  // namespace mrcnn::pth
