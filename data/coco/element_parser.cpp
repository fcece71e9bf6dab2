#include "data/coco/element_parser.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <optional>
#include <vector>

#include "core/error.h"
#include "data/coco/element_checks.h"
#include "data/coco/element_fields.h"
#include "data/masks/polygon.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

namespace od = simdjson::ondemand;

constexpr int64_t kMaxPolygonNumbers = kLimits.annotation.polygon_numbers;

}  // namespace

class ElementParser::Implementation {
 public:
  explicit Implementation(const ElementForm& form) : form_(form) {}

  int64_t parse(const std::string& path, const JsonPiece& piece, std::vector<uint32_t>& geometry,
                const std::function<void(const Element&)>& take,
                std::vector<ElementProblem>& problems);

 private:
  std::string_view unescaped(od::raw_json_string text);
  void check_unused(od::value value);
  void read_element(od::object object);
  void read_field(ElementField field, od::value value);
  void read_box(od::value value);
  GeometryKind read_segmentation(od::value value);
  GeometryKind read_polygons(od::array polygons);
  GeometryKind read_run_lengths(od::object object);
  void read_counts(od::value value);

  // Sets the place to the next field and marks it as seen.
  void enter(std::string_view field, uint32_t bit);
  void check_complete() const;
  int64_t read_id(od::value value);
  int64_t read_integer(od::value value) const;
  double read_double(od::value value) const;
  bool read_flag(od::value value) const;
  [[noreturn]] void refuse(const std::string& problem) const;

  const ElementForm form_;
  od::parser parser_;
  // Where strings are unescaped to. The parser has such a buffer, but does not notice when there is
  // no memory for it (simdjson 3.0.1).
  std::vector<uint8_t> texts_;
  uint8_t* free_text_ = nullptr;
  Element element_;
  std::vector<uint32_t>* geometry_ = nullptr;
  ElementPlace place_;
  PolygonPacker packer_;
  std::vector<int64_t> counts_;
};

void ElementParser::Implementation::refuse(const std::string& problem) const {
  throw Refusal{place_.text(), problem};
}

void ElementParser::Implementation::enter(std::string_view field, uint32_t bit) {
  place_ = {.field = field};
  if ((element_.fields & bit) != 0) refuse("appears twice");
  element_.fields |= bit;
}

void ElementParser::Implementation::check_complete() const {
  for (const ElementFieldName& field : kElementFields) {
    if ((form_.required & ~element_.fields & field.bit) != 0) {
      throw Refusal{"", fmt::format("has no \"{}\"", field.name)};
    }
  }
}

std::string_view ElementParser::Implementation::unescaped(od::raw_json_string text) {
  return parser_.unescape(text, free_text_);
}

// On-Demand looks at nothing that is not asked for; this asks for all of a value.
void ElementParser::Implementation::check_unused(od::value value) {
  switch (od::json_type(value.type())) {
    case od::json_type::array:
      for (od::value item : value.get_array()) check_unused(item);
      break;
    case od::json_type::object:
      for (od::field field : value.get_object()) {
        unescaped(field.key());
        check_unused(field.value());
      }
      break;
    case od::json_type::string:
      unescaped(value.get_raw_json_string());
      break;
    case od::json_type::number:
      double(value.get_double());
      break;
    case od::json_type::boolean:
      bool(value.get_bool());
      break;
    case od::json_type::null:
      if (!value.is_null()) throw simdjson::simdjson_error(simdjson::N_ATOM_ERROR);
      break;
  }
}

int64_t ElementParser::Implementation::read_id(od::value value) {
  int64_t id = 0;
  if (value.get_int64().get(id) == simdjson::SUCCESS) return id;
  double number = 0;
  if (value.get_double().get(number) == simdjson::SUCCESS) {
    return id_from_number(number, place_.text());
  }
  od::raw_json_string text;
  if (value.get_raw_json_string().get(text) == simdjson::SUCCESS) {
    return id_from_text(unescaped(text), place_.text());
  }
  refuse("is neither a number nor a string");
}

int64_t ElementParser::Implementation::read_integer(od::value value) const {
  int64_t number = 0;
  if (value.get_int64().get(number) != simdjson::SUCCESS) refuse("is not an integer");
  return number;
}

double ElementParser::Implementation::read_double(od::value value) const {
  double number = 0;
  if (value.get_double().get(number) != simdjson::SUCCESS) refuse("is not a finite number");
  return number;
}

bool ElementParser::Implementation::read_flag(od::value value) const {
  int64_t number = 0;
  bool flag = false;
  if (value.get_bool().get(flag) == simdjson::SUCCESS) return flag;
  if (value.get_int64().get(number) != simdjson::SUCCESS || number < 0 || number > 1) {
    refuse("is neither 0 nor 1");
  }
  return number == 1;
}

// Four numbers: x, y, width, height.
void ElementParser::Implementation::read_box(od::value value) {
  if (form_.box_may_be_empty && value.type() == od::json_type::null) {
    check_unused(value);
    element_.fields &= ~uint32_t{kBoxField};
    return;
  }
  od::array numbers;
  if (value.get_array().get(numbers) != simdjson::SUCCESS) refuse("is not an array");
  place_.part = 0;
  for (od::value number : numbers) {
    if (place_.part == 4) refuse("is a fifth number: x, y, width and height belong there");
    double& side = element_.box[static_cast<size_t>(place_.part)];
    side = read_double(number);
    if (std::abs(side) > kMaxPolygonCoordinate) refuse(fmt::format("{} pixels cannot be", side));
    if (place_.part >= 2 && side < 0) refuse(fmt::format("a side of {} pixels cannot be", side));
    ++place_.part;
  }
  const int64_t count = place_.part;
  place_.part = -1;
  if (count == 0 && form_.box_may_be_empty) {
    element_.fields &= ~uint32_t{kBoxField};
    return;
  }
  if (count < 4) refuse(fmt::format("has {} numbers: x, y, width and height belong there", count));
}

GeometryKind ElementParser::Implementation::read_polygons(od::array polygons) {
  place_.part = 0;
  for (od::value polygon : polygons) {
    od::array numbers;
    if (polygon.get_array().get(numbers) != simdjson::SUCCESS) {
      refuse("is not an array: a polygon is a list [x0, y0, x1, y1, ...] in the list of polygons");
    }
    packer_.clear();
    place_.item = 0;
    for (od::value number : numbers) {
      const std::optional<int32_t> hundredths = read_hundredths(number.raw_json_token());
      if (hundredths) {
        packer_.add_hundredths(*hundredths);
      } else {
        const double coordinate = read_double(number);
        if (std::abs(coordinate) > kMaxPolygonCoordinate) {
          refuse(fmt::format("a corner at {} pixels cannot be", coordinate));
        }
        packer_.add(coordinate);
      }
      if (++place_.item > kMaxPolygonNumbers) {
        refuse(fmt::format("more than {} numbers in a polygon", kMaxPolygonNumbers));
      }
    }
    place_.item = -1;
    if (packer_.size() < 6 || packer_.size() % 2 != 0) {
      refuse(fmt::format("has {} numbers: a polygon has pairs of them, three or more",
                         packer_.size()));
    }
    packer_.append_to(*geometry_);
    ++place_.part;
  }
  const bool any = place_.part > 0;
  place_.part = -1;
  return any ? GeometryKind::kPolygons : GeometryKind::kNone;
}

void ElementParser::Implementation::read_counts(od::value value) {
  od::array runs;
  if (value.get_array().get(runs) != simdjson::SUCCESS) {
    refuse("has \"counts\" that are neither a list nor a string");
  }
  place_.part = 0;
  for (od::value run : runs) {
    counts_.push_back(read_integer(run));
    ++place_.part;
  }
  place_.part = -1;
}

GeometryKind ElementParser::Implementation::read_run_lengths(od::object object) {
  std::array<int64_t, 2> size{};  // height, width
  int64_t num_sides = 0;
  bool has_counts = false;
  std::optional<std::string_view> text;
  counts_.clear();
  for (od::field field : object) {
    const std::string_view key = unescaped(field.key());
    if (key == "size") {
      od::array sides;
      if (field.value().get_array().get(sides) != simdjson::SUCCESS) break;
      for (od::value side : sides) {
        if (num_sides < 2) size[static_cast<size_t>(num_sides)] = read_integer(side);
        ++num_sides;
      }
    } else if (key == "counts") {
      if (has_counts) refuse("has \"counts\" twice");
      has_counts = true;
      od::value value = field.value();
      if (value.type() == od::json_type::string) {
        text = unescaped(value.get_raw_json_string());
      } else {
        read_counts(value);
      }
    } else {
      check_unused(field.value());
    }
  }
  if (num_sides != 2) refuse("has no \"size\" of two integers, height and width");
  if (!has_counts) refuse("has no \"counts\"");
  if (text && !form_.check_strings) {
    const bool fits = size[0] >= 1 && size[1] >= 1 && size[0] <= kMaxRlePixels / size[1];
    if (!fits) refuse(fmt::format("a mask of {}x{} pixels cannot be", size[1], size[0]));
  }
  try {
    if (!text) {
      rle_from_counts(counts_, size[0], size[1]);
      append_counts(counts_, size[0], size[1], *geometry_);
      return GeometryKind::kCounts;
    }
    if (form_.check_strings) rle_from_string(*text, size[0], size[1]);
    append_string(*text, size[0], size[1], *geometry_);
    return GeometryKind::kString;
  } catch (const Error& error) {
    refuse(error.what());
  }
}

GeometryKind ElementParser::Implementation::read_segmentation(od::value value) {
  switch (od::json_type(value.type())) {
    case od::json_type::array:
      return read_polygons(value.get_array());
    case od::json_type::object:
      return read_run_lengths(value.get_object());
    case od::json_type::null:
      check_unused(value);
      return GeometryKind::kNone;
    default:
      refuse("is neither a list of polygons nor run lengths");
  }
}

void ElementParser::Implementation::read_field(ElementField field, od::value value) {
  switch (field) {
    case kIdField:
      element_.id = read_id(value);
      break;
    case kImageIdField:
      element_.image_id = read_id(value);
      break;
    case kCategoryIdField:
      element_.category_id = read_id(value);
      break;
    case kBoxField:
      read_box(value);
      break;
    case kAreaField:
      element_.area = read_double(value);
      if (element_.area < 0) refuse(fmt::format("{} cannot be", element_.area));
      break;
    case kCrowdField:
      element_.crowd = read_flag(value);
      break;
    case kScoreField:
      element_.score = read_double(value);
      break;
    case kSegmentationField:
      element_.geometry = read_segmentation(value);
      break;
  }
}

void ElementParser::Implementation::read_element(od::object object) {
  for (od::field field : object) {
    const std::string_view key = unescaped(field.key());
    const uint32_t bit = field_bit(key) & form_.fields;
    if (bit == 0) {
      check_unused(field.value());
      continue;
    }
    enter(key, bit);
    read_field(static_cast<ElementField>(bit), field.value());
  }
  check_complete();
  element_.geometry_size = geometry_->size() - element_.geometry_begin;
}

int64_t ElementParser::Implementation::parse(const std::string& path, const JsonPiece& piece,
                                             std::vector<uint32_t>& geometry,
                                             const std::function<void(const Element&)>& take,
                                             std::vector<ElementProblem>& problems) {
  geometry_ = &geometry;
  int64_t count = 0;
  size_t at = 1;  // where the current element begins
  texts_.resize(std::max(texts_.size(), piece.size + simdjson::SIMDJSON_PADDING));
  free_text_ = texts_.data();
  try {
    od::document document = parser_.iterate(piece.text.data(), piece.size, piece.text.size());
    for (od::value value : document.get_array()) {
      const std::string_view token = value.raw_json_token();
      at = static_cast<size_t>(token.data() - piece.text.data());
      const size_t geometry_before = geometry.size();
      element_ = {.number = count, .geometry_begin = geometry_before};
      place_ = {};
      try {
        od::object object;
        if (value.get_object().get(object) != simdjson::SUCCESS) refuse("is not an object");
        read_element(object);
        take(element_);
      } catch (const Refusal& refusal) {
        geometry.resize(geometry_before);
        problems.push_back({count, find_element_id(piece, at), refusal.where, refusal.problem});
      }
      ++count;
    }
  } catch (const simdjson::simdjson_error& error) {
    if (error.error() == simdjson::MEMALLOC) throw std::bad_alloc();
    fail_invalid_json(path, piece, at, simdjson::error_message(error.error()));
  }
  return count;
}

ElementParser::ElementParser(const ElementForm& form)
    : implementation_(std::make_unique<Implementation>(form)) {}
ElementParser::~ElementParser() = default;

int64_t ElementParser::parse(const std::string& path, const JsonPiece& piece,
                             std::vector<uint32_t>& geometry,
                             const std::function<void(const Element&)>& take,
                             std::vector<ElementProblem>& problems) {
  return implementation_->parse(path, piece, geometry, take, problems);
}

}  // namespace mrcnn
