#include <algorithm>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/conv/class_conv.h"

namespace mrcnn::cpu {
namespace {

// sums [count] = rows [count, length] * vector [length] + bias
MRCNN_TARGET_CLONES
void dot_rows(int64_t count, int64_t length, const float* rows, const float* vector, float bias,
              float* sums) {
  for (int64_t row = 0; row < count; ++row) {
    const float* const values = rows + row * length;
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < length; ++i) sum += values[i] * vector[i];
    sums[row] = sum + bias;
  }
}

void dot_rows(int64_t count, int64_t length, const double* rows, const double* vector, double bias,
              double* sums) {
  for (int64_t row = 0; row < count; ++row) {
    double sum = 0;
    for (int64_t i = 0; i < length; ++i) sum += rows[row * length + i] * vector[i];
    sums[row] = sum + bias;
  }
}

// sum [length] = the rows [count, length], each times its factor, from first to last
MRCNN_TARGET_CLONES
void add_scaled_rows(int64_t count, int64_t length, const float* rows, const float* factors,
                     float* sum) {
  std::fill_n(sum, length, 0.0F);
  for (int64_t row = 0; row < count; ++row) {
    for (int64_t i = 0; i < length; ++i) sum[i] += factors[row] * rows[row * length + i];
  }
}

void add_scaled_rows(int64_t count, int64_t length, const double* rows, const double* factors,
                     double* sum) {
  std::fill_n(sum, length, 0.0);
  for (int64_t row = 0; row < count; ++row) {
    for (int64_t i = 0; i < length; ++i) sum[i] += factors[row] * rows[row * length + i];
  }
}

// Calls f(roi, label) in parallel for all RoIs.
template <typename F>
void for_each_roi(const ClassConvGeometry& g, const int32_t* labels, const F& f) {
  parallel_for(0, g.rois, 1, [&](int64_t begin, int64_t end) {
    for (int64_t roi = begin; roi < end; ++roi) f(roi, labels[roi]);
  });
}

}  // namespace

template <typename T>
void class_conv(const ClassConvGeometry& g, const T* input, const T* weight, const T* bias,
                const int32_t* labels, T* output) {
  for_each_roi(g, labels, [&](int64_t roi, int32_t label) {
    T* const target = output + roi * g.pixels;
    if (g.is_used(label)) {
      dot_rows(g.pixels, g.channels, input + roi * g.pixels * g.channels,
               weight + label * g.channels, bias != nullptr ? bias[label] : T(0), target);
    } else {
      std::fill_n(target, g.pixels, T(0));
    }
  });
}

template <typename T>
void class_conv_grad_input(const ClassConvGeometry& g, const T* grad_output, const T* weight,
                           const int32_t* labels, T* grad_input) {
  for_each_roi(g, labels, [&](int64_t roi, int32_t label) {
    T* const target = grad_input + roi * g.pixels * g.channels;
    if (!g.is_used(label)) {
      std::fill_n(target, g.pixels * g.channels, T(0));
      return;
    }
    const T* const row = weight + label * g.channels;
    for (int64_t pixel = 0; pixel < g.pixels; ++pixel) {
      const T factor = grad_output[roi * g.pixels + pixel];
      for (int64_t c = 0; c < g.channels; ++c) target[pixel * g.channels + c] = factor * row[c];
    }
  });
}

template <typename T>
void class_conv_grad_weight(const ClassConvGeometry& g, const T* grad_output, const T* input,
                            const int32_t* labels, T* partial, T* grad_weight, T* grad_bias) {
  const int64_t stride = g.channels + 1;
  for_each_roi(g, labels, [&](int64_t roi, int32_t label) {
    if (!g.is_used(label)) return;
    const T* const factors = grad_output + roi * g.pixels;
    T* const sums = partial + roi * stride;
    add_scaled_rows(g.pixels, g.channels, input + roi * g.pixels * g.channels, factors, sums);
    T sum = 0;
    for (int64_t pixel = 0; pixel < g.pixels; ++pixel) sum += factors[pixel];
    sums[g.channels] = sum;
  });
  std::fill_n(grad_weight, g.classes * g.channels, T(0));
  if (grad_bias != nullptr) std::fill_n(grad_bias, g.classes, T(0));
  for (int64_t roi = 0; roi < g.rois; ++roi) {
    if (!g.is_used(labels[roi])) continue;
    const T* const sums = partial + roi * stride;
    T* const row = grad_weight + labels[roi] * g.channels;
    for (int64_t c = 0; c < g.channels; ++c) row[c] += sums[c];
    if (grad_bias != nullptr) grad_bias[labels[roi]] += sums[g.channels];
  }
}

template void class_conv(const ClassConvGeometry&, const float*, const float*, const float*,
                         const int32_t*, float*);
template void class_conv(const ClassConvGeometry&, const double*, const double*, const double*,
                         const int32_t*, double*);
template void class_conv_grad_input(const ClassConvGeometry&, const float*, const float*,
                                    const int32_t*, float*);
template void class_conv_grad_input(const ClassConvGeometry&, const double*, const double*,
                                    const int32_t*, double*);
template void class_conv_grad_weight(const ClassConvGeometry&, const float*, const float*,
                                     const int32_t*, float*, float*, float*);
template void class_conv_grad_weight(const ClassConvGeometry&, const double*, const double*,
                                     const int32_t*, double*, double*, double*);

}  // namespace mrcnn::cpu
