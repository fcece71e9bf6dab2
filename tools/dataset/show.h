// Pictures of what is annotated, for people to look at.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace mrcnn {

struct ShowOptions {
  std::string out;      // folder; DIR/images/*.png and DIR/contact_sheet.png
  int64_t images = 24;  // spread evenly over the set; 0: all
  int64_t columns = 0;  // of the contact sheet; 0: so that it is about as wide as high
};

struct ShowResult {
  int64_t written = 0;  // pictures
  std::string contact_sheet;
  std::vector<std::string> problems;  // one for each image that could not be shown
};

// The images that are shown.
std::vector<int64_t> spread_evenly(int64_t size, int64_t wanted);

// Draws on all threads. Pictures that cannot be read or are of another size than annotated are left
// out and told of; FileError if none is left or a file cannot be written. A contact sheet holds at
// most kMostTiles of the images, spread evenly.
ShowResult show_annotations(const Dataset& dataset, const ShowOptions& options);

inline constexpr int64_t kMostTiles = 100;

}  // namespace mrcnn
