// A reader for pickles that builds plain data and runs nothing. It knows the opcodes that
// PyTorch, NumPy and detectron2 write; every other one is refused.
// Source: CPython 3.11 pickletools (opcodes); PyTorch 2.x torch/_utils.py, torch/serialization.py
// (what the names mean).
#pragma once

#include <cstdint>

#include "tools/pth/input.h"
#include "tools/pth/pickle_graph.h"

namespace mrcnn::pth {

// How references to storages look.
enum class StorageReferences {
  kNone,    // bare pickles of arrays
  kZip,     // ('storage', type, key, location, numel)
  kLegacy,  // the same and a view: None or (view key, offset, numel)
};

struct PickleOptions {
  StorageReferences storages = StorageReferences::kNone;
  bool refuse_denied = true;  // false only to list the names in a suspicious file
};

struct PickleResult {
  ValueId root = 0;
  uint64_t end = 0;  // the byte after STOP
};

// Reads one pickle from `begin` on into `graph` (to which more may be added). The graph points into
// the bytes of `input`. Throws FileError on anything that is not allowed or past a limit.
PickleResult read_pickle(const Input& input, uint64_t begin, const PickleOptions& options,
                         PickleGraph& graph);

}  // namespace mrcnn::pth
