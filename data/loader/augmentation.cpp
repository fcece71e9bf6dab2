#include "data/loader/augmentation.h"

#include "core/error.h"
#include "core/random.h"

namespace mrcnn {

void check_augmentation(const AugmentationOptions& options) {
  if (!(options.flip_probability >= 0 && options.flip_probability <= 1)) {
    throw UsageError("flip probability " + std::to_string(options.flip_probability) +
                     " is not in 0..1");
  }
  if (options.min_sizes.empty()) throw UsageError("no size to resize images to is given");
  for (const int64_t size : options.min_sizes) {
    if (size < 1) throw UsageError("image size " + std::to_string(size) + " is not positive");
  }
  if (options.jitter_canvas < 0 || !(options.jitter_low > 0) ||
      !(options.jitter_high >= options.jitter_low)) {
    throw UsageError(
        "large-scale jitter needs a canvas of 0 or more pixels and scales "
        "0 < low <= high");
  }
}

Augmentation choose_augmentation(const AugmentationOptions& options, uint64_t seed, int64_t epoch,
                                 int64_t image_index) {
  const RandomStream stream{
      .seed = seed, .purpose = RandomPurpose::kAugment, .step = static_cast<uint32_t>(epoch)};
  const auto first = static_cast<uint64_t>(image_index) * 8;
  Augmentation chosen;
  chosen.flip = stream.uniform(first) < options.flip_probability;
  const auto sizes = static_cast<uint64_t>(options.min_sizes.size());
  chosen.min_size = options.min_sizes[(stream.word(first + 1) * sizes) >> 32];
  chosen.jitter_scale = options.jitter_low + (options.jitter_high - options.jitter_low) *
                                                 static_cast<double>(stream.uniform(first + 2));
  chosen.crop_y = stream.uniform(first + 3);
  chosen.crop_x = stream.uniform(first + 4);
  return chosen;
}

Augmentation no_augmentation(const AugmentationOptions& options) {
  return {.min_size = options.min_sizes.back()};
}

}  // namespace mrcnn
