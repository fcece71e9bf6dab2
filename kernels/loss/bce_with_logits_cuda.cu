#include "kernels/loss/bce_with_logits.h"
#include "kernels/loss/loss_math.h"
#include "kernels/loss/weighted_rows.cuh"

namespace mrcnn::cuda {
namespace {

template <typename T>
struct Term {
  const T* logits;
  const float* targets;
  __device__ float operator()(int64_t i) const { return bce_term(to_float(logits[i]), targets[i]); }
};

template <typename T>
struct Slope {
  const T* logits;
  const float* targets;
  __device__ float operator()(int64_t i) const {
    return bce_slope(to_float(logits[i]), targets[i]);
  }
};

}  // namespace

void bce_with_logits(int64_t rows, int64_t columns, const float* logits, const float* targets,
                     const float* weights, float* partials, float* loss, Stream stream) {
  weighted_sum("bce_with_logits", rows, columns, weights, Term<float>{logits, targets}, partials,
               loss, stream);
}

void bce_with_logits(int64_t rows, int64_t columns, const BFloat16* logits, const float* targets,
                     const float* weights, float* partials, float* loss, Stream stream) {
  weighted_sum("bce_with_logits", rows, columns, weights, Term<BFloat16>{logits, targets}, partials,
               loss, stream);
}

void bce_with_logits_backward(int64_t rows, int64_t columns, const float* grad_loss,
                              const float* logits, const float* targets, const float* weights,
                              float* grad_logits, Stream stream) {
  weighted_gradient("bce_with_logits_backward", rows, columns, weights, grad_loss,
                    Slope<float>{logits, targets}, grad_logits, stream);
}

void bce_with_logits_backward(int64_t rows, int64_t columns, const float* grad_loss,
                              const BFloat16* logits, const float* targets, const float* weights,
                              BFloat16* grad_logits, Stream stream) {
  weighted_gradient("bce_with_logits_backward", rows, columns, weights, grad_loss,
                    Slope<BFloat16>{logits, targets}, grad_logits, stream);
}

}  // namespace mrcnn::cuda
