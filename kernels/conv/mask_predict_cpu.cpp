#include <cmath>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/conv/mask_predict.h"

namespace mrcnn::cpu {
namespace {

// Dot products of `count` rows of `length` values with one vector.
MRCNN_TARGET_CLONES
void dot_rows(const float* rows, const float* vector, int64_t count, int64_t length, float* sums) {
  for (int64_t row = 0; row < count; ++row) {
    const float* const values = rows + row * length;
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < length; ++i) sum += values[i] * vector[i];
    sums[row] = sum;
  }
}

float sigmoid(float logit) { return 1.0F / (1.0F + std::exp(-logit)); }

// Writes the KH x KW outputs of one input pixel, from its hidden values [KH, KW, H].
void predict_pixel(const MaskPredictGeometry& g, int64_t pixel, const float* hidden,
                   const float* weight, float bias, float* output) {
  const int64_t row = pixel / g.width;  // detection * h + y
  for (int64_t ky = 0; ky < g.kernel_h; ++ky) {
    float* const target =
        output + (row * g.kernel_h + ky) * g.width * g.kernel_w + pixel % g.width * g.kernel_w;
    dot_rows(hidden + ky * g.kernel_w * g.hidden, weight, g.kernel_w, g.hidden, target);
    for (int64_t kx = 0; kx < g.kernel_w; ++kx) {
      target[kx] += bias;
      if (g.output == MaskOutput::kProbabilities) target[kx] = sigmoid(target[kx]);
    }
  }
}

}  // namespace

void mask_predict(const MaskPredictGeometry& g, int64_t first, int64_t count, const float* hidden,
                  const int64_t* labels, const float* logit_weight, const float* logit_bias,
                  float* output) {
  parallel_for(0, count, 32, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t label = labels[(first + i) / (g.height * g.width)];
      predict_pixel(g, first + i, hidden + i * g.taps() * g.hidden, logit_weight + label * g.hidden,
                    logit_bias != nullptr ? logit_bias[label] : 0.0F, output);
    }
  });
}

}  // namespace mrcnn::cpu
