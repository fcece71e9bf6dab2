// What the loader, the evaluator and the programs see of a data set, whatever its files look like.
// Implementations: COCO annotations (data/coco), PASCAL VOC folders (data/voc).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/rle.h"
#include "data/evaluation/evaluated_objects.h"

namespace mrcnn {

struct DatasetClass {
  int64_t label = 0;        // what the model predicts, 1..num_classes() - 1
  int64_t category_id = 0;  // as the files spell it
  std::string name;
};

struct DatasetImage {
  int64_t id = 0;
  std::string path;       // to open; file_name below the data set's folder
  std::string file_name;  // as the annotations spell it
  int64_t height = 0;     // pixels, as annotated
  int64_t width = 0;
};

// One annotated object. Boxes are pixels of the annotated image, as stated in the files, not
// derived from the mask.
struct DatasetObject {
  int64_t id = 0;
  int64_t label = 0;
  std::array<double, 4> box{};  // (x1, y1, x2, y2)
  double area = 0;              // pixels, as stated
  bool crowd = false;           // a region of many objects: never a training target of its own
  bool difficult = false;       // VOC
  Rle mask;                     // of the image's size
};

enum class TruthParts { kBoxes, kBoxesAndMasks };

class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual const std::string& name() const = 0;  // for messages: the annotation file
  virtual int64_t size() const = 0;             // images
  virtual const std::vector<DatasetClass>& classes() const = 0;  // by label, ascending
  virtual DatasetImage image(int64_t index) const = 0;
  // All objects of an image in the order of the files, crowds and degenerate ones too. Masks are
  // rasterised here; thread safe. Throws FileError that names the annotation.
  virtual std::vector<DatasetObject> objects(int64_t index) const = 0;
  // The same objects as an evaluation wants them: boxes to the last bit as the files state them, by
  // label, masks only where they are asked for. Thread safe; throws like objects().
  virtual std::vector<EvaluatedTruth> truths(int64_t index, TruthParts parts) const;
  // Hash of everything that training depends on, images' pixels excepted. Hexadecimal SHA-256.
  virtual std::string fingerprint() const = 0;

  // Outputs of a model for this set: the largest label and background 0.
  int64_t num_classes() const;
};

}  // namespace mrcnn
