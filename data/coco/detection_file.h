// The detections of any detector, as files in COCO's format of results have them: a list of
//   {"image_id": 139, "category_id": 1, "score": 0.98, "bbox": [x, y, width, height],
//    "segmentation": {"size": [height, width], "counts": "..."}}
// with a box or a mask or both. A mask may be given in any of the ways of annotations.
// Format: https://cocodataset.org/#format-results
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "data/coco/geometry.h"
#include "data/coco/source_file.h"
#include "data/dataset.h"
#include "data/evaluation/evaluated_objects.h"

namespace mrcnn {

enum class DetectionParts { kBoxes, kBoxesAndMasks };

struct DetectionFileOptions {
  bool skip_unknown = false;  // leaves out detections in images or of categories that are not there
};

class DetectionFile {
 public:
  // Parsed by all threads, in memory of about the size of the file or less. Throws FileError with
  // ExitCode::kData for what is not such a file, or not one of this data set; the place is
  // "results[5]: bbox[2]", the sixth element. What is wrong with a mask that is a string is found
  // by detections().
  DetectionFile(const std::string& path, const Dataset& dataset,
                const DetectionFileOptions& options = {});
  // The same for a file already in memory; `name` stands in messages.
  DetectionFile(const FileBytes& results, const std::string& name, const Dataset& dataset,
                const DetectionFileOptions& options = {});

  const std::string& path() const { return path_; }
  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  int64_t num_skipped() const { return num_skipped_; }
  bool any_mask() const { return any_mask_; }
  bool first_has_box() const { return !rows_.empty() && rows_.front().has_box; }

  // Of an image of the data set, by label, in the order of the file. A box that is not stated is
  // that of the mask. Throws FileError where a mask cannot be drawn, or is asked for and not there.
  // Thread safe.
  std::vector<EvaluatedDetection> detections(int64_t index, DetectionParts parts) const;

 private:
  struct Row {
    std::array<double, 4> box{};
    double score = 0;
    uint64_t geometry_begin = 0;  // words
    uint32_t geometry_size = 0;
    uint32_t image = 0;    // index in the data set
    uint32_t element = 0;  // of the file
    int32_t label = 0;
    bool has_box = false;
    GeometryKind geometry = GeometryKind::kNone;
  };
  struct Piece;
  class PieceParser;

  void read(SourceFile& source, const DetectionFileOptions& options);
  void add(Piece&& piece);
  void group_by_image();
  Rle mask_of(const Row& row) const;

  std::string path_;
  const Dataset& dataset_;
  std::vector<Row> rows_;  // as in the file
  std::vector<uint32_t> geometry_;
  std::vector<uint32_t> by_image_;     // rows, image after image
  std::vector<uint64_t> image_begin_;  // of its rows in by_image_, and one more
  int64_t num_elements_ = 0;
  int64_t num_skipped_ = 0;
  bool any_mask_ = false;
};

}  // namespace mrcnn
