#include <algorithm>

#include "core/parallel.h"
#include "kernels/conv/onednn.h"
#include "kernels/linalg/matmul.h"

namespace mrcnn::cpu {
namespace {

// Blocks of the output that are computed by one thread each, over the whole depth, so that the
// library never splits a sum by the number of threads. Large enough that packing the operands anew
// for every block is little beside the product: 200 to 215 of 215 GFLOP/s on two cores.
constexpr int64_t kBlockRows = 256;
constexpr int64_t kBlockColumns = 512;
// Smaller products are cut finer, down to the library's own blocks, to have work for threads.
constexpr int64_t kWantedBlocks = 8;
constexpr int64_t kLeastBlock = 48;

struct Blocks {
  int64_t rows = 0, columns = 0;  // of a block
  int64_t across = 0, count = 0;  // blocks in a row of blocks, and in all
};

// A function of the shape only: another partition may give other bits.
Blocks blocks_of(const MatmulGeometry& g) {
  int64_t rows = std::min(kBlockRows, g.rows), columns = std::min(kBlockColumns, g.columns);
  const auto along = [](int64_t size, int64_t block) { return (size + block - 1) / block; };
  while (along(g.rows, rows) * along(g.columns, columns) < kWantedBlocks) {
    int64_t& longer = rows > columns ? rows : columns;
    if (longer < 2 * kLeastBlock) break;
    longer = (longer + 1) / 2;
  }
  const int64_t across = along(g.columns, columns);
  return {
      .rows = rows, .columns = columns, .across = across, .count = along(g.rows, rows) * across};
}

}  // namespace

void matmul(const MatmulGeometry& g, const float* a, const float* b, float* output) {
  const Blocks blocks = blocks_of(g);
  const auto multiply = [&](int64_t block) {
    const int64_t row = block / blocks.across * blocks.rows;
    const int64_t column = block % blocks.across * blocks.columns;
    onednn::multiply_on_one_thread({.rows = std::min(blocks.rows, g.rows - row),
                                    .depth = g.depth,
                                    .columns = std::min(blocks.columns, g.columns - column),
                                    .a_transposed = g.a_transposed,
                                    .b_transposed = g.b_transposed,
                                    .a = g.a_transposed ? a + row : a + row * g.depth,
                                    .a_stride = g.a_transposed ? g.rows : g.depth,
                                    .b = g.b_transposed ? b + column * g.depth : b + column,
                                    .b_stride = g.b_transposed ? g.depth : g.columns,
                                    .output = output + row * g.columns + column,
                                    .output_stride = g.columns});
  };
  onednn::translate_errors("matmul", [&] {
    parallel_for(0, blocks.count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) multiply(block);
    });
  });
}

void matmul(const MatmulGeometry& g, const double* a, const double* b, double* output) {
  parallel_for(0, g.rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t column = 0; column < g.columns; ++column) {
        double sum = 0;
        for (int64_t k = 0; k < g.depth; ++k) {
          sum += (g.a_transposed ? a[k * g.rows + row] : a[row * g.depth + k]) *
                 (g.b_transposed ? b[column * g.depth + k] : b[k * g.columns + column]);
        }
        output[row * g.columns + column] = sum;
      }
    }
  });
}

}  // namespace mrcnn::cpu
