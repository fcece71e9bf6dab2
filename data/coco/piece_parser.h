// One piece of an annotation file as rows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/coco/annotation_tables.h"
#include "data/coco/json_sections.h"

namespace mrcnn {

// What is wrong with one element of a section.
struct ElementProblem {
  int64_t element = 0;  // index in its section
  std::string id;       // as the file spells it, "" if it has none
  std::string where;    // below the element: "bbox[2]"; "" for the element itself
  std::string problem;
};

// An image or object with what is resolved, and checked, when all pieces are there. Positions in
// names and geometry, and elements, count from the beginning of the piece.
struct ParsedImage {
  ImageRow row;
  int64_t element = 0;
};
struct ParsedObject {
  ObjectRow row;
  int64_t image_id = 0;
  int64_t category_id = 0;
  int64_t element = 0;
};

struct ParsedPiece {
  std::string section;
  bool is_first = false;  // of its section
  std::vector<CategoryRow> categories;
  std::vector<ParsedImage> images;
  std::vector<ParsedObject> objects;
  std::vector<uint32_t> geometry;
  std::string names;
  int64_t num_elements = 0;
  std::vector<ElementProblem> problems;  // of elements that are left out
};

inline constexpr const char* kImages = "images";
inline constexpr const char* kAnnotations = "annotations";
inline constexpr const char* kCategories = "categories";

// The place and id of an element for messages: "annotations[5] (id 7): bbox[2]".
std::string place_of(const std::string& section, int64_t element, const std::string& id,
                     const std::string& where);

class PieceParser {
 public:
  explicit PieceParser(const std::string& path);  // for messages
  ~PieceParser();

  // Checks that the piece is valid JSON, also where it is not used, and throws FileError with the
  // place as "byte N" if it is not. An element that is not what its section needs is a problem.
  ParsedPiece parse(const JsonPiece& piece);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// The id of the element that begins at piece.text[at], as it is spelled, whatever else is wrong
// with the element; "" if it has none.
std::string find_element_id(const JsonPiece& piece, size_t at);

[[noreturn]] void fail_invalid_json(const std::string& path, const JsonPiece& piece, size_t at,
                                    const char* problem);

}  // namespace mrcnn
