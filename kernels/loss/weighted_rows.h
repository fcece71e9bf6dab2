// What the losses share: a loss is sum over rows r of weights[r] * sum over the row's elements of a
// term. A row of weight 0 is not looked at, whatever its elements are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/parallel.h"
#include "core/tensor.h"

namespace mrcnn {

// A GPU sums in two steps; the first leaves at most so many partial sums.
inline constexpr int64_t kLossPartials = 512;

struct LossRows {
  int64_t rows = 0;
  int64_t columns = 0;  // elements of a row
  Device device;
};

// predictions [R, ...], targets of the same shape f32, weights [R] f32. `name` is the predictions'
// in messages. Throws ShapeError, DTypeError or DeviceError.
LossRows check_loss_rows(const char* op, const char* name, const Tensor& predictions,
                         const Tensor& targets, const Tensor& weights);

namespace cpu {

inline constexpr int64_t kLossGrain = 2048;  // elements: tens of microseconds

// row_sum(r) gives the sum of the terms of row r in f64. Rows are added in their order, so threads
// make no difference.
template <typename RowSum>
double weighted_sum(int64_t rows, int64_t columns, const float* weights, const RowSum& row_sum) {
  std::vector<double> sums(static_cast<size_t>(rows));
  const int64_t grain = std::max<int64_t>(1, kLossGrain / std::max<int64_t>(1, columns));
  parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      if (weights[row] == 0) continue;
      sums[static_cast<size_t>(row)] = static_cast<double>(weights[row]) * row_sum(row);
    }
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

// write_row(r, factor) writes the gradient of row r, factor times the terms' derivatives; rows of
// weight 0 become zeros.
template <typename T, typename WriteRow>
void weighted_gradient(int64_t rows, int64_t columns, const float* weights, double grad_loss,
                       T* gradient, const WriteRow& write_row) {
  const int64_t grain = std::max<int64_t>(1, kLossGrain / std::max<int64_t>(1, columns));
  parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      if (weights[row] == 0) {
        std::fill_n(gradient + row * columns, columns, T(0));
      } else {
        write_row(row, grad_loss * static_cast<double>(weights[row]));
      }
    }
  });
}

}  // namespace cpu
}  // namespace mrcnn
