// resized_size: the size to which an image is resized before the network sees it: the short side
// becomes min_size, unless the long side would pass max_size.
// The rules differ in the last pixel, and results are compared pixel by pixel, so they are
// explicit:
//   scale = min(min_size / short side, max_size / long side)
//   kOriginalRound       scale in f64; side * scale rounded to nearest, ties to even
//   kTorchvisionDouble   scale in f64; floor(side * scale)
//   kTorchvisionFloat32  scale in f32, min_size times the f32 reciprocal of the side; then
//                        floor(side * scale) in f64. 427x640 gives 799x1199.
// A side that would vanish (a strip of extreme proportions) becomes 1.
// Source: torchvision models/detection/transform.py: 0.29 in eager mode (double), 0.14 (float32);
// the rounding rule is the original system's.
#pragma once

#include <cstdint>

namespace mrcnn {

struct ImageSize {
  int64_t height = 0;
  int64_t width = 0;
  friend bool operator==(const ImageSize&, const ImageSize&) = default;
};

enum class SizeRule { kOriginalRound, kTorchvisionDouble, kTorchvisionFloat32 };

struct ResizeParams {
  int64_t min_size = 800;
  int64_t max_size = 1333;
  SizeRule rule = SizeRule::kOriginalRound;
};

// Throws ShapeError if the image is empty, UsageError if a parameter is not positive.
ImageSize resized_size(int64_t height, int64_t width, const ResizeParams& params);

}  // namespace mrcnn
