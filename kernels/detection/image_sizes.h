// The sizes of a batch's images as a tensor, so that a captured graph can be replayed for images of
// other sizes: the caller overwrites the tensor instead of recording anew.
#pragma once

#include <vector>

#include "core/primitives.h"
#include "core/tensor.h"
#include "kernels/image/resized_size.h"

namespace mrcnn {

// [N, 2] f32 (height, width). To a GPU it is a queued upload, so it does not belong in a capture.
inline Tensor image_size_tensor(const std::vector<ImageSize>& sizes, Device device = {}) {
  const Tensor tensor = Tensor::empty({static_cast<int64_t>(sizes.size()), 2});
  float* extent = tensor.data<float>();
  for (const ImageSize& size : sizes) {
    *extent++ = static_cast<float>(size.height);
    *extent++ = static_cast<float>(size.width);
  }
  return copy_to(tensor, device);
}

}  // namespace mrcnn
