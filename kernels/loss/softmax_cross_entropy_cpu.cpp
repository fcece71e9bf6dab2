#include <algorithm>
#include <cmath>

#include "kernels/loss/softmax_cross_entropy.h"
#include "kernels/loss/weighted_rows.h"

namespace mrcnn::cpu {
namespace {

// The largest logit and the sum of exp(x - largest). NaN anywhere makes the sum NaN.
struct RowSum {
  double largest;
  double sum;
};

template <typename T>
RowSum sum_row(const T* x, int64_t classes) {
  RowSum row{.largest = static_cast<double>(*std::max_element(x, x + classes)), .sum = 0};
  for (int64_t k = 0; k < classes; ++k) {
    row.sum += std::exp(static_cast<double>(x[k]) - row.largest);
  }
  return row;
}

template <typename T>
void sum_terms(int64_t rows, int64_t classes, const T* logits, const int32_t* labels,
               const float* weights, T* loss) {
  *loss = static_cast<T>(weighted_sum(rows, classes, weights, [&](int64_t r) {
    const T* x = logits + r * classes;
    const RowSum row = sum_row(x, classes);
    return std::log(row.sum) + (row.largest - static_cast<double>(x[labels[r]]));
  }));
}

template <typename T>
void write_gradient(int64_t rows, int64_t classes, const T* grad_loss, const T* logits,
                    const int32_t* labels, const float* weights, T* grad_logits) {
  weighted_gradient(rows, classes, weights, static_cast<double>(*grad_loss), grad_logits,
                    [&](int64_t r, double factor) {
                      const T* x = logits + r * classes;
                      const RowSum row = sum_row(x, classes);
                      for (int64_t k = 0; k < classes; ++k) {
                        const double p =
                            std::exp(static_cast<double>(x[k]) - row.largest) / row.sum;
                        grad_logits[r * classes + k] =
                            static_cast<T>(factor * (p - (k == labels[r] ? 1.0 : 0.0)));
                      }
                    });
}

}  // namespace

void softmax_cross_entropy(int64_t rows, int64_t classes, const float* logits,
                           const int32_t* labels, const float* weights, float* loss) {
  sum_terms(rows, classes, logits, labels, weights, loss);
}

void softmax_cross_entropy(int64_t rows, int64_t classes, const double* logits,
                           const int32_t* labels, const float* weights, double* loss) {
  sum_terms(rows, classes, logits, labels, weights, loss);
}

void softmax_cross_entropy_backward(int64_t rows, int64_t classes, const float* grad_loss,
                                    const float* logits, const int32_t* labels,
                                    const float* weights, float* grad_logits) {
  write_gradient(rows, classes, grad_loss, logits, labels, weights, grad_logits);
}

void softmax_cross_entropy_backward(int64_t rows, int64_t classes, const double* grad_loss,
                                    const double* logits, const int32_t* labels,
                                    const float* weights, double* grad_logits) {
  write_gradient(rows, classes, grad_loss, logits, labels, weights, grad_logits);
}

}  // namespace mrcnn::cpu
