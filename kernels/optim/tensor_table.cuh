// A list of tensors as a kernel's argument, so that one launch serves many tensors of many sizes
// without an upload. A thread block takes one piece of one tensor.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/cuda/launch.cuh"

namespace mrcnn::cuda {

inline constexpr int kTableBlock = 256;       // threads: divides those of an SM, full occupancy
inline constexpr int64_t kTablePiece = 4096;  // elements of a thread block, 16 a thread
inline constexpr int kTableCapacity = 80;     // a kernel's arguments are 4 KiB at most

template <typename Item>
struct TensorTable {
  static_assert(sizeof(Item) <= 40, "the table must fit a kernel's arguments");
  Item items[kTableCapacity];
  int32_t first_block[kTableCapacity];  // of each item
  int32_t count;
};

struct TablePiece {
  int32_t item;
  int64_t begin, end;
};

// The calling thread block's piece.
template <typename Item>
__device__ __forceinline__ TablePiece table_piece(const TensorTable<Item>& table) {
  const auto block = static_cast<int32_t>(blockIdx.x);
  int32_t item = 0, after = table.count;  // the item lies in [item, after)
  while (after - item > 1) {
    const int32_t middle = (item + after) / 2;
    if (table.first_block[middle] <= block) {
      item = middle;
    } else {
      after = middle;
    }
  }
  const int64_t begin = (block - table.first_block[item]) * kTablePiece;
  const int64_t count = table.items[item].count;
  return {item, begin, begin + kTablePiece < count ? begin + kTablePiece : count};
}

inline int64_t table_blocks(int64_t count) { return (count + kTablePiece - 1) / kTablePiece; }

// Calls f(table, blocks) for tables that together hold all items with elements. blocks > 0.
template <typename Item, typename F>
void for_each_table(std::span<const Item> items, const F& f) {
  constexpr int64_t kMostBlocks = int64_t{1} << 30;
  TensorTable<Item> table{};
  int64_t blocks = 0;
  const auto flush = [&] {
    if (table.count > 0) f(table, static_cast<unsigned>(blocks));
    table.count = 0;
    blocks = 0;
  };
  for (const Item& item : items) {
    if (item.count == 0) continue;
    if (table.count == kTableCapacity || blocks + table_blocks(item.count) > kMostBlocks) flush();
    table.items[table.count] = item;
    table.first_block[table.count] = static_cast<int32_t>(blocks);
    ++table.count;
    blocks += table_blocks(item.count);
  }
  flush();
}

}  // namespace mrcnn::cuda
