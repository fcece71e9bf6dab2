// The elements of "annotations" and of lists of results, by far the most of a file: parsed with
// simdjson's On-Demand parser, coordinates straight from their text.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/coco/json_sections.h"
#include "data/coco/piece_parser.h"

namespace mrcnn {

// Bits.
enum ElementField : uint32_t {
  kIdField = 1,
  kImageIdField = 2,
  kCategoryIdField = 4,
  kBoxField = 8,
  kAreaField = 16,
  kCrowdField = 32,
  kScoreField = 64,
  kSegmentationField = 128,
};

// Which fields are read. Others are only checked for being JSON.
struct ElementForm {
  uint32_t fields = 0;
  uint32_t required = 0;
  bool box_may_be_empty = false;  // null or [], and then as if it were not there
  // Run lengths that are strings are decoded once to see whether that is possible. If not, only
  // draw_mask finds out.
  bool check_strings = true;
};

struct Element {
  int64_t number = 0;   // in its section, from the beginning of the piece
  uint32_t fields = 0;  // that it has
  int64_t id = 0;
  int64_t image_id = 0;
  int64_t category_id = 0;
  std::array<double, 4> box{};  // x, y, width, height
  double area = 0;
  double score = 0;
  bool crowd = false;
  GeometryKind geometry = GeometryKind::kNone;
  size_t geometry_begin = 0;  // words
  size_t geometry_size = 0;
};

class ElementParser {
 public:
  explicit ElementParser(const ElementForm& form);
  ~ElementParser();

  // Hands each element of the piece on, appending to `geometry` what its mask is drawn from. An
  // element that is not of the form, or that `take` throws a Refusal for, is a problem instead. Its
  // "id" is its name there. Returns the number of elements. Throws FileError where the piece is not
  // valid JSON.
  int64_t parse(const std::string& path, const JsonPiece& piece, std::vector<uint32_t>& geometry,
                const std::function<void(const Element&)>& take,
                std::vector<ElementProblem>& problems);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace mrcnn
