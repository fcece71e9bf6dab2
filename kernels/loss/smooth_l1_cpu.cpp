#include "kernels/loss/loss_math.h"
#include "kernels/loss/smooth_l1.h"
#include "kernels/loss/weighted_rows.h"

namespace mrcnn::cpu {
namespace {

template <typename T>
double difference(T prediction, float target) {
  return static_cast<double>(prediction) - static_cast<double>(target);
}

template <typename T>
void sum_terms(int64_t rows, int64_t columns, float beta, const T* predictions,
               const float* targets, const float* weights, T* loss) {
  *loss = static_cast<T>(weighted_sum(rows, columns, weights, [&](int64_t row) {
    double sum = 0;
    for (int64_t i = row * columns; i < (row + 1) * columns; ++i) {
      sum += smooth_l1_term(difference(predictions[i], targets[i]), static_cast<double>(beta));
    }
    return sum;
  }));
}

template <typename T>
void write_gradient(int64_t rows, int64_t columns, float beta, const T* grad_loss,
                    const T* predictions, const float* targets, const float* weights,
                    T* grad_predictions) {
  weighted_gradient(rows, columns, weights, static_cast<double>(*grad_loss), grad_predictions,
                    [&](int64_t row, double factor) {
                      for (int64_t i = row * columns; i < (row + 1) * columns; ++i) {
                        grad_predictions[i] = static_cast<T>(
                            factor * smooth_l1_slope(difference(predictions[i], targets[i]),
                                                     static_cast<double>(beta)));
                      }
                    });
}

}  // namespace

void smooth_l1(int64_t rows, int64_t columns, float beta, const float* predictions,
               const float* targets, const float* weights, float* loss) {
  sum_terms(rows, columns, beta, predictions, targets, weights, loss);
}

void smooth_l1(int64_t rows, int64_t columns, float beta, const double* predictions,
               const float* targets, const float* weights, double* loss) {
  sum_terms(rows, columns, beta, predictions, targets, weights, loss);
}

void smooth_l1_backward(int64_t rows, int64_t columns, float beta, const float* grad_loss,
                        const float* predictions, const float* targets, const float* weights,
                        float* grad_predictions) {
  write_gradient(rows, columns, beta, grad_loss, predictions, targets, weights, grad_predictions);
}

void smooth_l1_backward(int64_t rows, int64_t columns, float beta, const double* grad_loss,
                        const double* predictions, const float* targets, const float* weights,
                        double* grad_predictions) {
  write_gradient(rows, columns, beta, grad_loss, predictions, targets, weights, grad_predictions);
}

}  // namespace mrcnn::cpu
