// The elements of a piece of an annotation file, each parsed alone, so that a broken one does not
// hide the others.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/coco/json_sections.h"

namespace simdjson::dom {
class element;
class parser;
}  // namespace simdjson::dom

namespace mrcnn {

struct JsonElement {
  size_t begin = 0;  // in the piece's text
  size_t end = 0;
  int64_t byte = 0;     // of the file
  std::string problem;  // set where text stands between elements; then it is no element
};

// The elements of an array's piece, as brackets cut it.
std::vector<JsonElement> split_elements(const JsonPiece& piece);

// Parses elements one after another. NaN and Infinity, which Python writes and JSON has not, are
// read as the strings "NaN", "Infinity" and "-Infinity".
class LenientParser {
 public:
  LenientParser();
  ~LenientParser();

  // False, with `problem` set, if the text is not JSON. The value lives until the next call.
  bool parse(const char* text, size_t size, simdjson::dom::element& value, std::string& problem);
  bool replaced_tokens() const { return replaced_tokens_; }  // in the last text

 private:
  std::unique_ptr<simdjson::dom::parser> parser_;
  std::string sanitised_;
  bool replaced_tokens_ = false;
};

}  // namespace mrcnn
