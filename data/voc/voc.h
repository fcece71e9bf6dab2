// PASCAL VOC data sets with object masks (2007 to 2012, or own data in that layout):
//   ImageSets/Segmentation/<split>.txt   one image name a line
//   JPEGImages/<name>.jpg                (or .jpeg, .png)
//   Annotations/<name>.xml               size, classes and boxes
//   SegmentationObject/<name>.png        palette indices: 1..254 objects, 255 void
//
// The k-th number that occurs in the picture of objects belongs to the k-th <object> of the XML:
// the rule of the project that this one follows. Nothing in the files says so, hence an image where
// it cannot be right is not used: when counts differ, or when less than half of a mask's box lies
// in its object's box (a box holds the whole object, void border included).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace mrcnn {

struct VocOptions {
  enum class Mismatch {
    kDrop,  // leave the image out and list it
    kFail,  // FileError that names the first
  };

  std::vector<std::string> classes{};  // by label from 1; empty: the twenty of PASCAL VOC
  Mismatch mismatch = Mismatch::kDrop;
  // Correct: boxes are (xmin - 1, ymin - 1, xmax, ymax), because the files count pixels from 1 and
  // include the last; areas are those of the masks; images keep the order of the split; their ids
  // are the digits of the names where all have some and they differ, else 1, 2, ...; images without
  // objects stay.
  // Compatible with the original project: boxes as written; areas of boxes; images ordered by the
  // number their names give without "_"; ids 0, 1, ...; only counts are compared; images without
  // objects are dropped.
  bool compat = false;
};

const std::vector<std::string>& voc_class_names();

// Whether `dir` is laid out as open_voc wants it.
bool is_voc_folder(const std::string& dir);

struct VocDropped {
  std::string name;  // of the image
  std::string problem;
};

class VocDataset : public Dataset {
 public:
  // Images of the split that are not in the set, in its order.
  virtual const std::vector<VocDropped>& dropped() const = 0;
};

// `dir` holds the four folders, or a single folder VOC* or VOCdevkit/VOC* that does. Reads all
// annotations and masks, on all threads; pictures are only looked for. Object ids count from 1.
// Throws FileError with ExitCode::kData that names the file and line, UsageError for a split or
// classes that cannot be.
std::unique_ptr<VocDataset> open_voc(const std::string& dir, const std::string& split,
                                     const VocOptions& options = {});

}  // namespace mrcnn
