// The elements of "annotations", by far the most of a file: parsed with simdjson's On-Demand
// parser, coordinates straight from their text.
#pragma once

#include <memory>

#include "data/coco/piece_parser.h"

namespace mrcnn {

class AnnotationParser {
 public:
  AnnotationParser();
  ~AnnotationParser();

  // Adds the piece's objects, geometry and problems. Throws FileError where it is not valid JSON.
  void parse(const std::string& path, const JsonPiece& piece, ParsedPiece& parsed);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace mrcnn
