#include <algorithm>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/norm/fold_batch_norm.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements of a chunk: some microseconds

MRCNN_TARGET_CLONES
void scale_row(int64_t count, const float* values, double factor, float* scaled) {
  for (int64_t i = 0; i < count; ++i) {
    scaled[i] = static_cast<float>(static_cast<double>(values[i]) * factor);
  }
}

void scale_row(int64_t count, const double* values, double factor, double* scaled) {
  for (int64_t i = 0; i < count; ++i) scaled[i] = values[i] * factor;
}

template <typename T>
void scale_rows(int64_t channels, int64_t row_length, const T* weight, const double* scale,
                T* scaled) {
  const int64_t grain = std::max<int64_t>(kGrain / std::max<int64_t>(row_length, 1), 1);
  parallel_for(0, channels, grain, [&](int64_t begin, int64_t end) {
    for (int64_t channel = begin; channel < end; ++channel) {
      const int64_t first = channel * row_length;
      scale_row(row_length, weight + first, scale[channel], scaled + first);
    }
  });
}

}  // namespace

void scale_channels(int64_t channels, int64_t row_length, const float* weight, const double* scale,
                    float* scaled) {
  scale_rows(channels, row_length, weight, scale, scaled);
}

void scale_channels(int64_t channels, int64_t row_length, const double* weight, const double* scale,
                    double* scaled) {
  scale_rows(channels, row_length, weight, scale, scaled);
}

}  // namespace mrcnn::cpu
