#include "tools/infer/overlay_pictures.h"

#include <fmt/format.h>

#include "data/image/write.h"
#include "tools/draw/overlay.h"
#include "tools/infer/naming.h"
#include "tools/infer/text_results.h"

namespace mrcnn {

void OverlayPictures::consume(const ImageResult& result) {
  const Instances& instances = result.instances;
  std::vector<OverlayItem> items;
  for (int64_t i = 0; i < instances.size(); ++i) {
    const float* box = instances.boxes.data<float>() + 4 * i;
    const int64_t label = instances.labels.data<int64_t>()[i];
    const float score = instances.scores.data<float>()[i];
    items.push_back(
        {.mask = result.masks[static_cast<size_t>(i)],
         .box = {box[0], box[1], box[2], box[3]},
         .label = label,
         .score = score,
         .text = fmt::format("{} {:.0f}%", class_text(label, class_names_), 100 * score)});
  }
  write_image(make_picture_path(directory_, result.picture_name),
              draw_overlay(result.image, items));
}

}  // namespace mrcnn
