#include "kernels/loss/bce_with_logits.h"
#include "kernels/loss/loss_math.h"
#include "kernels/loss/weighted_rows.h"

namespace mrcnn::cpu {
namespace {

template <typename T>
void sum_terms(int64_t rows, int64_t columns, const T* logits, const float* targets,
               const float* weights, T* loss) {
  *loss = static_cast<T>(weighted_sum(rows, columns, weights, [&](int64_t row) {
    double sum = 0;
    for (int64_t i = row * columns; i < (row + 1) * columns; ++i) {
      sum += bce_term(static_cast<double>(logits[i]), static_cast<double>(targets[i]));
    }
    return sum;
  }));
}

template <typename T>
void write_gradient(int64_t rows, int64_t columns, const T* grad_loss, const T* logits,
                    const float* targets, const float* weights, T* grad_logits) {
  weighted_gradient(rows, columns, weights, static_cast<double>(*grad_loss), grad_logits,
                    [&](int64_t row, double factor) {
                      for (int64_t i = row * columns; i < (row + 1) * columns; ++i) {
                        grad_logits[i] =
                            static_cast<T>(factor * bce_slope(static_cast<double>(logits[i]),
                                                              static_cast<double>(targets[i])));
                      }
                    });
}

}  // namespace

void bce_with_logits(int64_t rows, int64_t columns, const float* logits, const float* targets,
                     const float* weights, float* loss) {
  sum_terms(rows, columns, logits, targets, weights, loss);
}

void bce_with_logits(int64_t rows, int64_t columns, const double* logits, const float* targets,
                     const float* weights, double* loss) {
  sum_terms(rows, columns, logits, targets, weights, loss);
}

void bce_with_logits_backward(int64_t rows, int64_t columns, const float* grad_loss,
                              const float* logits, const float* targets, const float* weights,
                              float* grad_logits) {
  write_gradient(rows, columns, grad_loss, logits, targets, weights, grad_logits);
}

void bce_with_logits_backward(int64_t rows, int64_t columns, const double* grad_loss,
                              const double* logits, const float* targets, const float* weights,
                              double* grad_logits) {
  write_gradient(rows, columns, grad_loss, logits, targets, weights, grad_logits);
}

}  // namespace mrcnn::cpu
