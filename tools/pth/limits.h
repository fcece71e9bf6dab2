// Bounds on what a weight file may ask of the reader. Each is far above what published models
// need; a file past one is refused before anything is allocated for it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mrcnn::pth {

struct Limits {
  // ZIP container
  size_t zip_entries = 100'000;
  size_t member_name_bytes = 1'024;
  uint64_t inflate_ratio = 200;  // applies above inflate_free_bytes
  uint64_t inflate_free_bytes = uint64_t{64} << 20;
  uint64_t pickle_member_bytes = uint64_t{64} << 20;  // data.pkl
  // Pickle machine
  int64_t opcodes = 20'000'000;
  size_t values = 2'000'000;           // distinct objects
  size_t container_items = 8'000'000;  // over all lists, tuples and dicts
  size_t stack = 1'000'000;
  size_t marks = 10'000;
  size_t memo = 5'000'000;
  size_t global_name_bytes = 512;
  // Tensors
  size_t tensors = 100'000;
  size_t rank = 16;
  size_t storage_key_bytes = 64;
  uint64_t expanded_free_bytes = uint64_t{64} << 20;  // of tensors larger than their storage
  uint64_t total_ratio = 4;  // all tensors together, times the file size, plus the free bytes
  // Walking the object
  size_t nesting = 1'000;
  size_t visited = 2'000'000;
};

inline constexpr Limits kLimits;

}  // namespace mrcnn::pth
