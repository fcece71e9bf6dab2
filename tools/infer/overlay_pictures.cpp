#include "tools/infer/overlay_pictures.h"

#include "data/image/write.h"
#include "tools/draw/found_object.h"
#include "tools/draw/overlay.h"
#include "tools/infer/naming.h"
#include "tools/infer/text_results.h"

namespace mrcnn {

void OverlayPictures::consume(const ImageResult& result) {
  const Instances& instances = result.instances;
  std::vector<OverlayItem> items;
  for (int64_t i = 0; i < instances.size(); ++i) {
    const int64_t label = instances.labels.data<const int64_t>()[i];
    items.push_back(found_object(instances, i, result.masks[static_cast<size_t>(i)],
                                 class_text(label, class_names_)));
  }
  write_image(make_picture_path(directory_, result.picture_name),
              draw_overlay(result.image, items));
}

}  // namespace mrcnn
