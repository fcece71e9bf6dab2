#include "data/coco/piece_parser.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <new>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "data/coco/annotation_parser.h"
#include "data/coco/element_checks.h"

namespace mrcnn {
namespace {

namespace dom = simdjson::dom;

// The value of the only field of this name.
dom::element field_of(dom::object object, std::string_view name) {
  const dom::element* found = nullptr;
  dom::element value;
  for (const auto [key, candidate] : object) {
    if (key != name) continue;
    if (found != nullptr) throw Refusal{std::string(name), "appears twice"};
    value = candidate;
    found = &value;
  }
  if (found == nullptr) throw Refusal{"", fmt::format("has no \"{}\"", name)};
  return value;
}

int64_t id_of(dom::object object) {
  const dom::element value = field_of(object, "id");
  int64_t id = 0;
  double number = 0;
  std::string_view text;
  if (value.get(id) == simdjson::SUCCESS) return id;
  if (value.get(number) == simdjson::SUCCESS) return id_from_number(number, "id");
  if (value.get(text) == simdjson::SUCCESS) return id_from_text(text, "id");
  throw Refusal{"id", "is neither a number nor a string"};
}

std::string_view text_of(dom::object object, const char* name) {
  std::string_view text;
  if (field_of(object, name).get(text) != simdjson::SUCCESS) {
    throw Refusal{name, "is not a string"};
  }
  return text;
}

int64_t integer_of(dom::object object, const char* name) {
  int64_t value = 0;
  if (field_of(object, name).get(value) != simdjson::SUCCESS) {
    throw Refusal{name, "is not an integer"};
  }
  return value;
}

CategoryRow parse_category(dom::object object, std::string& names) {
  CategoryRow row;
  row.id = id_of(object);
  const std::string_view name = text_of(object, "name");
  row.name_begin = names.size();
  row.name_size = name.size();
  names += name;
  return row;
}

ImageRow parse_image(dom::object object, std::string& names) {
  ImageRow row;
  row.id = id_of(object);
  const std::string_view name = text_of(object, "file_name");
  check_file_name(name);
  const int64_t height = integer_of(object, "height");
  const int64_t width = integer_of(object, "width");
  check_image_size(height, width);
  row.height = static_cast<int32_t>(height);
  row.width = static_cast<int32_t>(width);
  row.name_begin = names.size();
  row.name_size = static_cast<uint32_t>(name.size());
  names += name;
  return row;
}

std::string spelled(dom::element id) {
  return id.is_number() || id.is_string() ? simdjson::minify(id) : std::string();
}

}  // namespace

std::string place_of(const std::string& section, int64_t element, const std::string& id,
                     const std::string& where) {
  std::string place = fmt::format("{}[{}]", section, element);
  if (!id.empty()) place += fmt::format(" (id {})", id);
  if (!where.empty()) place += ": " + where;
  return place;
}

std::string find_element_id(const JsonPiece& piece, size_t at) {
  size_t end = at;
  JsonNesting nesting;
  if (nesting.walk(piece.text.data(), end, piece.size) != JsonNesting::Stop::kValueEnd) return {};
  dom::parser parser;
  dom::element id;
  // What follows the element is the padding that the parser wants.
  const auto parsed = parser.parse(piece.text.data() + at, end - at, false);
  return parsed["id"].get(id) == simdjson::SUCCESS ? spelled(id) : std::string();
}

void fail_invalid_json(const std::string& path, const JsonPiece& piece, size_t at,
                       const char* problem) {
  const int64_t byte = piece.begin + static_cast<int64_t>(at) - 1;
  const std::string section = piece.section.empty() ? "" : "\"" + piece.section + "\" ";
  throw FileError(ExitCode::kData, path, fmt::format("byte {}", byte),
                  fmt::format("{}is not valid JSON from here on: {}", section, problem));
}

class PieceParser::Implementation {
 public:
  explicit Implementation(const std::string& path) : path_(path) {}

  ParsedPiece parse(const JsonPiece& piece) {
    ParsedPiece parsed;
    parsed.section = piece.section;
    parsed.is_first = piece.is_first;
    const bool has_elements = piece.section == kImages || piece.section == kCategories;
    if (!piece.is_array && (has_elements || piece.section == kAnnotations)) {
      throw FileError(ExitCode::kData, path_, piece.section, "is not an array");
    }
    if (piece.section == kAnnotations) {
      annotations_.parse(path_, piece, parsed);
      return parsed;
    }
    dom::array elements;
    const simdjson::error_code error =
        parser_.parse(piece.text.data(), piece.size, false).get(elements);
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    if (error != simdjson::SUCCESS) {
      fail_invalid_json(path_, piece, 1, simdjson::error_message(error));
    }
    if (has_elements) {
      for (const dom::element element : elements) parse_element(element, parsed);
    }
    return parsed;
  }

 private:
  static void parse_element(dom::element element, ParsedPiece& parsed) {
    const size_t names_before = parsed.names.size();
    dom::object object;
    try {
      if (element.get(object) != simdjson::SUCCESS) throw Refusal{"", "is not an object"};
      if (parsed.section == kImages) {
        parsed.images.push_back({parse_image(object, parsed.names), parsed.num_elements});
      } else {
        parsed.categories.push_back(parse_category(object, parsed.names));
      }
    } catch (const Refusal& refusal) {
      parsed.names.resize(names_before);
      dom::element id;
      const bool has_id = element["id"].get(id) == simdjson::SUCCESS;
      parsed.problems.push_back({parsed.num_elements, has_id ? spelled(id) : std::string(),
                                 refusal.where, refusal.problem});
    }
    ++parsed.num_elements;
  }

  std::string path_;
  dom::parser parser_;
  AnnotationParser annotations_;
};

PieceParser::PieceParser(const std::string& path)
    : implementation_(std::make_unique<Implementation>(path)) {}
PieceParser::~PieceParser() = default;

ParsedPiece PieceParser::parse(const JsonPiece& piece) { return implementation_->parse(piece); }

}  // namespace mrcnn
