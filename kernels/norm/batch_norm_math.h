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
          .slope = -gain * inverse_deviation * inverse_deviation * grad_dot / pixels,
          .offset = -gain * grad_sum / pixels};
}

}  // namespace mrcnn
