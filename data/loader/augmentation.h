// The random choices made for one image, before anybody touches a pixel: they depend on
// (seed, epoch, image index) only, not on threads or on what was loaded before.
#pragma once

#include <cstdint>
#include <vector>

namespace mrcnn {

struct AugmentationOptions {
  double flip_probability = 0.5;
  std::vector<int64_t> min_sizes = {800};  // the short side is resized to one of them
  // Large-scale jitter: the image is resized to fit a square of `jitter_canvas` pixels times a
  // scale uniform in [jitter_low, jitter_high), then cut to the square at a random place. 0: off,
  // and min_sizes counts. Source: Ghiasi et al. 2021, "Simple copy-paste", sec. 3; torchvision
  // references/detection/transforms.py ScaleJitter.
  int64_t jitter_canvas = 0;
  double jitter_low = 0.1;
  double jitter_high = 2.0;
};

struct Augmentation {
  bool flip = false;
  int64_t min_size = 800;
  double jitter_scale = 1;  // of the canvas
  double crop_y = 0;        // place of the window in what is cut away, in [0, 1)
  double crop_x = 0;
};

// Throws UsageError if an option is out of range.
void check_augmentation(const AugmentationOptions& options);

Augmentation choose_augmentation(const AugmentationOptions& options, uint64_t seed, int64_t epoch,
                                 int64_t image_index);

// No choice at all: the last of the sizes, as torchvision does in evaluation.
Augmentation no_augmentation(const AugmentationOptions& options);

}  // namespace mrcnn
