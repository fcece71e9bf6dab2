#include "kernels/loss/loss_math.h"
#include "kernels/loss/smooth_l1.h"
#include "kernels/loss/weighted_rows.cuh"

namespace mrcnn::cuda {
namespace {

template <typename T>
struct Term {
  const T* predictions;
  const float* targets;
  float beta;
  __device__ float operator()(int64_t i) const {
    return smooth_l1_term(to_float(predictions[i]) - targets[i], beta);
  }
};

template <typename T>
struct Slope {
  const T* predictions;
  const float* targets;
  float beta;
  __device__ float operator()(int64_t i) const {
    return smooth_l1_slope(to_float(predictions[i]) - targets[i], beta);
  }
};

}  // namespace

void smooth_l1(int64_t rows, int64_t columns, float beta, const float* predictions,
               const float* targets, const float* weights, float* partials, float* loss,
               Stream stream) {
  weighted_sum("smooth_l1", rows, columns, weights, Term<float>{predictions, targets, beta},
               partials, loss, stream);
}

void smooth_l1(int64_t rows, int64_t columns, float beta, const BFloat16* predictions,
               const float* targets, const float* weights, float* partials, float* loss,
               Stream stream) {
  weighted_sum("smooth_l1", rows, columns, weights, Term<BFloat16>{predictions, targets, beta},
               partials, loss, stream);
}

void smooth_l1_backward(int64_t rows, int64_t columns, float beta, const float* grad_loss,
                        const float* predictions, const float* targets, const float* weights,
                        float* grad_predictions, Stream stream) {
  weighted_gradient("smooth_l1_backward", rows, columns, weights, grad_loss,
                    Slope<float>{predictions, targets, beta}, grad_predictions, stream);
}

void smooth_l1_backward(int64_t rows, int64_t columns, float beta, const float* grad_loss,
                        const BFloat16* predictions, const float* targets, const float* weights,
                        BFloat16* grad_predictions, Stream stream) {
  weighted_gradient("smooth_l1_backward", rows, columns, weights, grad_loss,
                    Slope<BFloat16>{predictions, targets, beta}, grad_predictions, stream);
}

}  // namespace mrcnn::cuda
