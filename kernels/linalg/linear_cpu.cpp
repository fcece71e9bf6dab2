#include <algorithm>

#include "core/parallel.h"
#include "kernels/linalg/linear.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements of a chunk: some microseconds

template <typename T>
void add_bias_rows(int64_t rows, int64_t columns, const T* bias, bool relu, T* output) {
  if (bias == nullptr && !relu) return;
  parallel_for(0, rows, std::max<int64_t>(kGrain / columns, 1), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      T* const values = output + row * columns;
      if (bias != nullptr) {
        for (int64_t c = 0; c < columns; ++c) values[c] += bias[c];
      }
      if (relu) {
        for (int64_t c = 0; c < columns; ++c) values[c] = values[c] < T(0) ? T(0) : values[c];
      }
    }
  });
}

}  // namespace

void add_bias(int64_t rows, int64_t columns, const float* bias, bool relu, float* output) {
  add_bias_rows(rows, columns, bias, relu, output);
}

void add_bias(int64_t rows, int64_t columns, const double* bias, bool relu, double* output) {
  add_bias_rows(rows, columns, bias, relu, output);
}

}  // namespace mrcnn::cpu
