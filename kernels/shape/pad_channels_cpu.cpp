#include <algorithm>

#include "kernels/shape/pad_channels.h"

namespace mrcnn::cpu {
namespace {

template <typename T>
void pad_rows(const PadChannelsGeometry& geometry, const T* input, T* output) {
  const auto [rows, channels_in, channels_out] = geometry;
  const int64_t copied = std::min(channels_in, channels_out);
  for (int64_t row = 0; row < rows; ++row) {
    T* const target = output + row * channels_out;
    std::copy_n(input + row * channels_in, copied, target);
    std::fill_n(target + copied, channels_out - copied, T(0));
  }
}

}  // namespace

void pad_channels(const PadChannelsGeometry& geometry, const float* input, float* output) {
  pad_rows(geometry, input, output);
}

void pad_channels(const PadChannelsGeometry& geometry, const double* input, double* output) {
  pad_rows(geometry, input, output);
}

}  // namespace mrcnn::cpu
