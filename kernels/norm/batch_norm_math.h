// How a batch normalisation's sums are cut up and finished; shared by the CPU and GPUs.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.h"

namespace mrcnn {

// The pixels are summed in chunks that depend on their number only, then chunk by chunk: the same
// bits for any number of threads, and at most kMostChunks numbers to add in the second stage.
struct BatchNormGeometry {
  int64_t pixels = 0;
  int64_t channels = 0;
  int64_t chunk_pixels = 0;
  int64_t chunks = 0;
  // Rows of row_pixels pixels whose label is negative do not count; null: all count.
  const int32_t* labels = nullptr;
  int64_t row_pixels = 1;
};

inline BatchNormGeometry batch_norm_geometry(int64_t pixels, int64_t channels) {
  constexpr int64_t kMostChunks = 256;    // enough blocks for a GPU, few enough to add serially
  constexpr int64_t kFewestPixels = 128;  // a chunk's work outweighs handing it out
  constexpr int64_t kStep = 32;           // whole blocks of pixels, save in the last chunk
  const int64_t wanted = (pixels + kMostChunks - 1) / kMostChunks;
  const int64_t chunk_pixels =
      (wanted < kFewestPixels ? kFewestPixels : wanted + kStep - 1) / kStep * kStep;
  return {.pixels = pixels,
          .channels = channels,
          .chunk_pixels = chunk_pixels,
          .chunks = (pixels + chunk_pixels - 1) / chunk_pixels};
}

HOST_DEVICE inline int64_t chunk_size(const BatchNormGeometry& geometry, int64_t chunk) {
  const int64_t rest = geometry.pixels - chunk * geometry.chunk_pixels;
  return rest < geometry.chunk_pixels ? rest : geometry.chunk_pixels;
}

// The pixels of a chunk that count.
HOST_DEVICE inline int64_t counted_pixels(const BatchNormGeometry& geometry, int64_t chunk) {
  const int64_t size = chunk_size(geometry, chunk);
  if (geometry.labels == nullptr) return size;
  const int64_t begin = chunk * geometry.chunk_pixels, end = begin + size;
  int64_t counted = 0;
  for (int64_t row = begin / geometry.row_pixels; row * geometry.row_pixels < end; ++row) {
    if (geometry.labels[row] < 0) continue;
    const int64_t first = row * geometry.row_pixels, last = first + geometry.row_pixels;
    counted += (last < end ? last : end) - (first > begin ? first : begin);
  }
  return counted;
}

// A mean over pixels, of which there may be none.
HOST_DEVICE inline double mean_of(double sum, double pixels) {
  return pixels > 0.0 ? sum / pixels : 0.0;
}

// What running statistics become: an average that forgets. Source: PyTorch 2, BatchNorm2d.
HOST_DEVICE inline double running_average(double running, double batch, double momentum) {
  return momentum * batch + (1.0 - momentum) * running;
}

// grad_input = gain * g + slope * (input - mean) + offset, with g the gradient behind the ReLU.
// Source: Ioffe and Szegedy 2015, section 3, with the sums over the batch collected.
struct BatchNormSlopes {
  double gain;
  double slope;
  double offset;
};

// grad_sum is the sum of g, grad_dot that of g * (input - mean), over `pixels` pixels.
HOST_DEVICE inline BatchNormSlopes batch_norm_slopes(double weight, double inverse_deviation,
                                                     double grad_sum, double grad_dot,
                                                     double pixels) {
  const double gain = weight * inverse_deviation;
  return {.gain = gain,
          .slope = -gain * inverse_deviation * inverse_deviation * mean_of(grad_dot, pixels),
          .offset = -gain * mean_of(grad_sum, pixels)};
}

}  // namespace mrcnn
