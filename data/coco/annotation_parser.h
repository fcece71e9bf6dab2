// The elements of "annotations" as rows.
#pragma once

#include <string>

#include "data/coco/element_parser.h"
#include "data/coco/piece_parser.h"

namespace mrcnn {

class AnnotationParser {
 public:
  AnnotationParser();

  // Adds the piece's objects, geometry and problems. Throws FileError where it is not valid JSON.
  void parse(const std::string& path, const JsonPiece& piece, ParsedPiece& parsed);

 private:
  ElementParser elements_;
};

}  // namespace mrcnn
