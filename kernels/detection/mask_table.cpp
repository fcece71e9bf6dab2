#include "kernels/detection/mask_table.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/primitives.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "make_mask_table";

void check_mask(const Rle& mask, size_t image, size_t object, ImageSize size) {
  int64_t pixels = 0;
  for (const uint32_t count : mask.counts) pixels += count;
  if (pixels != mask.height * mask.width || pixels > INT32_MAX) {
    throw ShapeError(fmt::format("[{}] the runs of mask {} of image {} add up to {}, not {} x {}",
                                 kOp, object, image, pixels, mask.height, mask.width));
  }
  if (ImageSize{mask.height, mask.width} != size) {
    throw ShapeError(fmt::format("[{}] mask {} of image {} is {} x {}, the one before {} x {}", kOp,
                                 object, image, mask.height, mask.width, size.height, size.width));
  }
}

void check_placement(const ImagePlacement& placement, size_t image, ImageSize size) {
  const auto [resized, visible, top, left, flip] = placement;
  const bool fits = size.height > 0 && size.width > 0 && visible.height > 0 && visible.width > 0 &&
                    top >= 0 && left >= 0 && top + visible.height <= resized.height &&
                    left + visible.width <= resized.width && resized.height <= INT32_MAX &&
                    resized.width <= INT32_MAX;
  if (!fits) {
    throw ShapeError(fmt::format(
        "[{}] image {} of {} x {} cannot be resized to {} x {} and cut to {} x {} at ({}, {})", kOp,
        image, size.height, size.width, resized.height, resized.width, visible.height,
        visible.width, top, left));
  }
}

void append_image(const ImagePlacement& placement, ImageSize size, std::vector<int32_t>& images) {
  for (const int64_t value :
       {size.height, size.width, placement.resized.height, placement.resized.width,
        placement.visible.height, placement.visible.width, placement.crop_top, placement.crop_left,
        int64_t{placement.flip}}) {
    images.push_back(static_cast<int32_t>(value));
  }
}

}  // namespace

MaskTable make_mask_table(std::span<const std::vector<Rle>> masks,
                          std::span<const ImagePlacement> placements, int64_t objects) {
  if (masks.size() != placements.size()) {
    throw ShapeError(fmt::format("[{}] masks of {} images need as many placements, not {}", kOp,
                                 masks.size(), placements.size()));
  }
  std::vector<int32_t> ends;
  std::vector<int32_t> offsets{0};
  std::vector<int32_t> images;
  for (size_t n = 0; n < masks.size(); ++n) {
    if (static_cast<int64_t>(masks[n].size()) > objects) {
      throw ShapeError(fmt::format("[{}] image {} has {} masks, more than the {} there is room for",
                                   kOp, n, masks[n].size(), objects));
    }
    // An image without objects is never looked at.
    const ImageSize size =
        masks[n].empty() ? placements[n].resized : ImageSize{masks[n][0].height, masks[n][0].width};
    check_placement(placements[n], n, size);
    append_image(placements[n], size, images);
    for (size_t g = 0; g < static_cast<size_t>(objects); ++g) {
      if (g < masks[n].size()) {
        check_mask(masks[n][g], n, g, size);
        int32_t end = 0;
        for (const uint32_t count : masks[n][g].counts) {
          end += static_cast<int32_t>(count);
          ends.push_back(end);
        }
      }
      if (ends.size() > INT32_MAX) {
        throw ShapeError(fmt::format("[{}] the masks have more runs than 32-bit indices", kOp));
      }
      offsets.push_back(static_cast<int32_t>(ends.size()));
    }
  }
  const auto num_runs = static_cast<int64_t>(ends.size());
  const auto num_images = static_cast<int64_t>(masks.size());
  return {.ends = Tensor::from(ends, {num_runs}),
          .offsets = Tensor::from(offsets, {num_images * objects + 1}),
          .images = Tensor::from(images, {num_images, kMaskImageFields}),
          .objects = objects};
}

MaskTable copy_to(const MaskTable& table, Device device) {
  return {.ends = copy_to(table.ends, device),
          .offsets = copy_to(table.offsets, device),
          .images = copy_to(table.images, device),
          .objects = table.objects};
}

}  // namespace mrcnn
