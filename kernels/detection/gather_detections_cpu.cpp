#include "kernels/detection/gather_detections.h"

#include "kernels/detection/gather_detections_math.h"

namespace mrcnn::cpu {

void gather_detections(const GatherView& view) {
  for (int64_t image = 0; image < view.images; ++image) {
    for (int64_t slot = 0; slot < view.capacity; ++slot) gather_slot(view, image, slot);
  }
}

void proposal_rois(int64_t images, int64_t capacity, const float* boxes, const int32_t* count,
                   float* rois) {
  for (int64_t image = 0; image < images; ++image) {
    for (int64_t slot = 0; slot < capacity; ++slot) {
      gather_roi(capacity, image, slot, boxes, count, rois);
    }
  }
}

}  // namespace mrcnn::cpu
