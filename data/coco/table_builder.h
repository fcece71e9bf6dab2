// Pieces of an annotation file, in the order of the file, become tables.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "data/coco/annotation_tables.h"
#include "data/coco/id_index.h"
#include "data/coco/piece_parser.h"

namespace mrcnn {

// Told of every element that is left out: `place` as "annotations[5] (id 7): bbox[2]".
using CocoProblemHandler =
    std::function<void(const std::string& place, const std::string& problem)>;

class TableBuilder {
 public:
  // Without a handler the first problem is thrown as a FileError with ExitCode::kData.
  TableBuilder(const std::string& path, const CocoProblemHandler& on_problem);

  void reserve_geometry(size_t words) { geometry_.reserve(words); }
  void add(ParsedPiece&& piece);

  // Resolves the ids of images and categories. What is wrong between elements is reported here.
  AnnotationTables finish() &&;
  int64_t num_problems() const { return num_problems_; }

 private:
  struct Link {
    int64_t image_id;
    int64_t category_id;
    int64_t element;
  };

  void report(const std::string& section, int64_t element, const std::string& id,
              const std::string& where, const std::string& problem);
  void check_sections() const;
  void sort_categories();
  void sort_images();
  void resolve_objects();
  // What is wrong, with its place below the annotation; "" if nothing is.
  struct Mismatch {
    std::string where;
    std::string problem;
  };
  Mismatch resolve(ObjectRow& row, const Link& link, const IdIndex& images,
                   const IdIndex& categories) const;
  std::vector<uint32_t> group_by_image();

  std::string path_;
  const CocoProblemHandler& on_problem_;
  int64_t num_problems_ = 0;
  std::map<std::string, int64_t> num_elements_;  // of each section so far
  std::vector<CategoryRow> categories_;
  std::vector<ImageRow> images_;
  std::vector<int64_t> image_elements_;
  std::vector<ObjectRow> objects_;
  std::vector<Link> links_;  // of objects_
  std::vector<uint32_t> geometry_;
  std::string names_;
};

}  // namespace mrcnn
