// sample_matches: a random choice of positive and negative boxes for the losses.
//   matched      [N, T]  i32 of match_boxes: an object's row (positive), kBackground, kIgnored
//   returns
//     indices      [N, S]  i32: rows of matched, the positives ascending, then the negatives
//                          ascending, then -1
//     num_positive [N]     i32, at most int(S * positive_fraction)
//     num_negative [N]     i32, at most S - num_positive
// Box t of image n has the key stream.word((first_image + n) << 32 | t). Of the positives and of
// the negatives those with the smallest (key, t) are taken, as many as there is room for. So the
// choice depends on the numbers alone, and an image gets the same one whatever batch it is in.
// A captured graph repeats the choice of the stream that it was recorded with.
// Gradient: none.  Deterministic: yes, the same on both devices.  Syncs host: no.  Capturable: yes.
// Source: Ren et al. 2015, Faster R-CNN, sec. 3.1.3; torchvision 0.29 models/detection/_utils.py,
// BalancedPositiveNegativeSampler (numbers; it draws from a global generator).
#pragma once

#include <cstdint>

#include "core/host_device.h"
#include "core/random.h"
#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

struct SampleParams {
  int64_t num_samples = 256;
  double positive_fraction = 0.5;
};

struct SampledMatches {
  Tensor indices;
  Tensor num_positive;
  Tensor num_negative;
};

// first_image: the number of the batch's first image among all that share the stream's step.
SampledMatches sample_matches(const Tensor& matched, const SampleParams& params,
                              const RandomStream& stream, int64_t first_image = 0);

struct SampleView {
  int64_t images;
  int64_t boxes;    // T
  int64_t samples;  // S
  int64_t most_positive;
  uint64_t first_image;
  RandomStream random;
  const int32_t* matched;  // [images, T]
  int32_t* indices;        // [images, S]
  int32_t* num_positive;   // [images]
  int32_t* num_negative;   // [images]

  // The number of box 0's key; a multiple of 4, so that four neighbours share a block.
  HOST_DEVICE uint64_t first_key(int64_t image) const {
    return (first_image + static_cast<uint64_t>(image)) << 32;
  }
};

namespace cpu {
void sample_matches(const SampleView& view);
}  // namespace cpu

namespace cuda {
void sample_matches(const SampleView& view, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
