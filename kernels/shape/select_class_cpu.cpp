#include <algorithm>

#include "core/parallel.h"
#include "kernels/shape/select_class.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kGrain = 64;  // rows: a gradient of 64 rows has some 20k elements

bool is_class(const SelectClassGeometry& geometry, int32_t label) {
  return label >= 0 && label < geometry.classes;
}

template <typename T>
void select_rows(const SelectClassGeometry& geometry, const T* input, const int32_t* labels,
                 T* output) {
  const auto [rows, classes, width] = geometry;
  for (int64_t row = 0; row < rows; ++row) {
    T* const target = output + row * width;
    if (is_class(geometry, labels[row])) {
      std::copy_n(input + (row * classes + labels[row]) * width, width, target);
    } else {
      std::fill_n(target, width, T(0));
    }
  }
}

template <typename T>
void spread_rows(const SelectClassGeometry& geometry, const T* grad_output, const int32_t* labels,
                 T* grad_input) {
  parallel_for(0, geometry.rows, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      T* const target = grad_input + row * geometry.classes * geometry.width;
      std::fill_n(target, geometry.classes * geometry.width, T(0));
      if (is_class(geometry, labels[row])) {
        std::copy_n(grad_output + row * geometry.width, geometry.width,
                    target + labels[row] * geometry.width);
      }
    }
  });
}

}  // namespace

void select_class(const SelectClassGeometry& geometry, const float* input, const int32_t* labels,
                  float* output) {
  select_rows(geometry, input, labels, output);
}

void select_class(const SelectClassGeometry& geometry, const double* input, const int32_t* labels,
                  double* output) {
  select_rows(geometry, input, labels, output);
}

void select_class_backward(const SelectClassGeometry& geometry, const float* grad_output,
                           const int32_t* labels, float* grad_input) {
  spread_rows(geometry, grad_output, labels, grad_input);
}

void select_class_backward(const SelectClassGeometry& geometry, const double* grad_output,
                           const int32_t* labels, double* grad_input) {
  spread_rows(geometry, grad_output, labels, grad_input);
}

}  // namespace mrcnn::cpu
