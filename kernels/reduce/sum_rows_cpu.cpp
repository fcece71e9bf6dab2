#include <algorithm>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/reduce/sum_rows.h"

namespace mrcnn::cpu {
namespace {

// sums [columns] = the sum of `rows` rows, one below the other.
MRCNN_TARGET_CLONES
void add_rows(int64_t rows, int64_t columns, const float* input, double* sums) {
  std::fill_n(sums, columns, 0.0);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t c = 0; c < columns; ++c) sums[c] += static_cast<double>(input[row * columns + c]);
  }
}

MRCNN_TARGET_CLONES
void add_rows(int64_t rows, int64_t columns, const double* input, double* sums) {
  std::fill_n(sums, columns, 0.0);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t c = 0; c < columns; ++c) sums[c] += input[row * columns + c];
  }
}

template <typename T>
void sum_rows_blocks(const SumRowsGeometry& g, const T* input, double* partial, T* sums) {
  parallel_for(0, g.blocks(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * g.rows_per_block;
      add_rows(std::min(g.rows_per_block, g.rows - first), g.columns, input + first * g.columns,
               partial + block * g.columns);
    }
  });
  for (int64_t block = 1; block < g.blocks(); ++block) {
    for (int64_t c = 0; c < g.columns; ++c) partial[c] += partial[block * g.columns + c];
  }
  std::transform(partial, partial + g.columns, sums,
                 [](double sum) { return static_cast<T>(sum); });
}

}  // namespace

void sum_rows(const SumRowsGeometry& g, const float* input, double* partial, float* sums) {
  sum_rows_blocks(g, input, partial, sums);
}

void sum_rows(const SumRowsGeometry& g, const double* input, double* partial, double* sums) {
  sum_rows_blocks(g, input, partial, sums);
}

}  // namespace mrcnn::cpu
