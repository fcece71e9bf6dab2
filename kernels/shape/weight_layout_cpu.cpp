#include <algorithm>
#include <cassert>
#include <cstring>

#include "core/parallel.h"
#include "kernels/shape/weight_layout.h"

namespace mrcnn::cpu {
namespace {

// A square tile keeps the cache lines that are read and those that are written in L1.
constexpr int64_t kTile = 16;

// Destination rows [begin, end) of one matrix. Elements move as bytes, whatever their type.
template <int64_t kBytes>
void transpose_rows(int64_t rows, int64_t columns, int64_t begin, int64_t end,
                    const std::byte* source, std::byte* destination) {
  for (int64_t column0 = begin; column0 < end; column0 += kTile) {
    const int64_t column1 = std::min(end, column0 + kTile);
    for (int64_t row0 = 0; row0 < rows; row0 += kTile) {
      const int64_t row1 = std::min(rows, row0 + kTile);
      for (int64_t column = column0; column < column1; ++column) {
        for (int64_t row = row0; row < row1; ++row) {
          std::memcpy(destination + (column * rows + row) * kBytes,
                      source + (row * columns + column) * kBytes, kBytes);
        }
      }
    }
  }
}

template <int64_t kBytes>
void transpose_batch(int64_t batch, int64_t rows, int64_t columns, const std::byte* source,
                     std::byte* destination) {
  const int64_t matrix_bytes = rows * columns * kBytes;
  const int64_t strips = (columns + kTile - 1) / kTile;
  const int64_t grain = std::max<int64_t>(1, 65536 / std::max<int64_t>(1, rows * kTile * kBytes));
  parallel_for(0, batch * strips, grain, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t offset = index / strips * matrix_bytes;
      const int64_t column = index % strips * kTile;
      transpose_rows<kBytes>(rows, columns, column, std::min(columns, column + kTile),
                             source + offset, destination + offset);
    }
  });
}

}  // namespace

void transpose(int64_t batch, int64_t rows, int64_t columns, int64_t element_bytes,
               const std::byte* source, std::byte* destination) {
  switch (element_bytes) {
    case 1:
      return transpose_batch<1>(batch, rows, columns, source, destination);
    case 2:
      return transpose_batch<2>(batch, rows, columns, source, destination);
    case 4:
      return transpose_batch<4>(batch, rows, columns, source, destination);
    default:
      assert(element_bytes == 8);
      return transpose_batch<8>(batch, rows, columns, source, destination);
  }
}

}  // namespace mrcnn::cpu
