// The mistakes of an evaluation as small pictures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "data/dataset.h"
#include "data/evaluation/mistakes.h"
#include "tools/report/html/page.h"

namespace mrcnn {

struct MistakePictures {
  std::vector<PagePicture> false_positives;
  std::vector<PagePicture> misses;
  int64_t num_unreadable = 0;  // mistakes whose image or annotations could not be read
};

// In the order of the lists: the surroundings of each with the annotated areas and its frame.
MistakePictures draw_mistakes(const Dataset& dataset, const Mistakes& mistakes);

// A picture [H, W, 3] u8 for a page, shrunk.
PagePicture page_picture(const Tensor& pixels, std::string alternative, std::string caption);

}  // namespace mrcnn
