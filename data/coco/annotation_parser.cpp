#include "data/coco/annotation_parser.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "data/coco/element_checks.h"
#include "data/masks/polygon.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

namespace od = simdjson::ondemand;

constexpr int64_t kMaxPolygonNumbers = 2'000'000;

// Where in an annotation the parser is: "segmentation[0][3]".
struct Place {
  std::string_view field = {};
  int64_t part = -1;
  int64_t item = -1;

  std::string text() const {
    std::string text(field);
    if (part >= 0) text += fmt::format("[{}]", part);
    if (item >= 0) text += fmt::format("[{}]", item);
    return text;
  }
};

// On-Demand looks at nothing that is not asked for; this asks for all of a value.
void check_unused(od::value value) {
  switch (od::json_type(value.type())) {
    case od::json_type::array:
      for (od::value item : value.get_array()) check_unused(item);
      break;
    case od::json_type::object:
      for (od::field field : value.get_object()) {
        std::string_view(field.unescaped_key());
        check_unused(field.value());
      }
      break;
    case od::json_type::string:
      std::string_view(value.get_string());
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

}  // namespace

class AnnotationParser::Implementation {
 public:
  void parse(const std::string& path, const JsonPiece& piece, ParsedPiece& parsed);

 private:
  void read_annotation(od::object object);
  void read_box(od::value value, std::array<double, 4>& box);
  void read_segmentation(od::value value, ObjectRow& row);
  void read_polygons(od::array polygons, ObjectRow& row);
  void read_counts(od::value value);
  void read_run_lengths(od::object object, ObjectRow& row);

  // Sets the place to the next field and marks it as seen.
  void enter(std::string_view field, uint32_t bit);
  void require(uint32_t bit, const char* field) const;
  int64_t read_id(od::value value) const;
  int64_t read_integer(od::value value) const;
  double read_double(od::value value) const;
  bool read_flag(od::value value) const;
  [[noreturn]] void refuse(const std::string& problem) const;

  od::parser parser_;
  ParsedPiece* out_ = nullptr;
  Place place_;
  uint32_t seen_ = 0;
  PolygonPacker packer_;
  std::vector<int64_t> counts_;
};

void AnnotationParser::Implementation::refuse(const std::string& problem) const {
  throw Refusal{place_.text(), problem};
}

void AnnotationParser::Implementation::enter(std::string_view field, uint32_t bit) {
  place_ = {.field = field};
  if ((seen_ & bit) != 0) refuse("appears twice");
  seen_ |= bit;
}

void AnnotationParser::Implementation::require(uint32_t bit, const char* field) const {
  if ((seen_ & bit) == 0) throw Refusal{"", fmt::format("has no \"{}\"", field)};
}

int64_t AnnotationParser::Implementation::read_id(od::value value) const {
  int64_t id = 0;
  if (value.get_int64().get(id) == simdjson::SUCCESS) return id;
  double number = 0;
  if (value.get_double().get(number) == simdjson::SUCCESS) {
    return id_from_number(number, place_.text());
  }
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return id_from_text(text, place_.text());
  refuse("is neither a number nor a string");
}

int64_t AnnotationParser::Implementation::read_integer(od::value value) const {
  int64_t number = 0;
  if (value.get_int64().get(number) != simdjson::SUCCESS) refuse("is not an integer");
  return number;
}

double AnnotationParser::Implementation::read_double(od::value value) const {
  double number = 0;
  if (value.get_double().get(number) != simdjson::SUCCESS) refuse("is not a finite number");
  return number;
}

bool AnnotationParser::Implementation::read_flag(od::value value) const {
  int64_t number = 0;
  bool flag = false;
  if (value.get_bool().get(flag) == simdjson::SUCCESS) return flag;
  if (value.get_int64().get(number) != simdjson::SUCCESS || number < 0 || number > 1) {
    refuse("is neither 0 nor 1");
  }
  return number == 1;
}

// Four numbers: x, y, width, height.
void AnnotationParser::Implementation::read_box(od::value value, std::array<double, 4>& box) {
  od::array numbers;
  if (value.get_array().get(numbers) != simdjson::SUCCESS) refuse("is not an array");
  place_.part = 0;
  for (od::value number : numbers) {
    if (place_.part == 4) refuse("is a fifth number: x, y, width and height belong there");
    double& side = box[static_cast<size_t>(place_.part)];
    side = read_double(number);
    if (std::abs(side) > kMaxPolygonCoordinate) refuse(fmt::format("{} pixels cannot be", side));
    if (place_.part >= 2 && side < 0) refuse(fmt::format("a side of {} pixels cannot be", side));
    ++place_.part;
  }
  const int64_t count = place_.part;
  place_.part = -1;
  if (count < 4) refuse(fmt::format("has {} numbers: x, y, width and height belong there", count));
}

void AnnotationParser::Implementation::read_polygons(od::array polygons, ObjectRow& row) {
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
    packer_.append_to(out_->geometry);
    ++place_.part;
  }
  if (place_.part > 0) row.geometry = GeometryKind::kPolygons;
  place_.part = -1;
}

void AnnotationParser::Implementation::read_counts(od::value value) {
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

void AnnotationParser::Implementation::read_run_lengths(od::object object, ObjectRow& row) {
  std::array<int64_t, 2> size{};  // height, width
  int64_t num_sides = 0;
  bool has_counts = false;
  std::optional<std::string_view> text;
  counts_.clear();
  for (od::field field : object) {
    const std::string_view key = field.unescaped_key();
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
        text = std::string_view(value.get_string());
      } else {
        read_counts(value);
      }
    } else {
      check_unused(field.value());
    }
  }
  if (num_sides != 2) refuse("has no \"size\" of two integers, height and width");
  if (!has_counts) refuse("has no \"counts\"");
  try {
    if (text) {
      rle_from_string(*text, size[0], size[1]);
      append_string(*text, size[0], size[1], out_->geometry);
      row.geometry = GeometryKind::kString;
    } else {
      rle_from_counts(counts_, size[0], size[1]);
      append_counts(counts_, size[0], size[1], out_->geometry);
      row.geometry = GeometryKind::kCounts;
    }
  } catch (const Error& error) {
    refuse(error.what());
  }
}

void AnnotationParser::Implementation::read_segmentation(od::value value, ObjectRow& row) {
  switch (od::json_type(value.type())) {
    case od::json_type::array:
      read_polygons(value.get_array(), row);
      break;
    case od::json_type::object:
      read_run_lengths(value.get_object(), row);
      break;
    case od::json_type::null:
      check_unused(value);
      break;
    default:
      refuse("is neither a list of polygons nor run lengths");
  }
}

void AnnotationParser::Implementation::read_annotation(od::object object) {
  enum : uint32_t {
    kId = 1,
    kImage = 2,
    kCategory = 4,
    kBox = 8,
    kArea = 16,
    kCrowd = 32,
    kSegmentation = 64
  };
  ParsedObject parsed;
  parsed.element = out_->num_elements;
  ObjectRow& row = parsed.row;
  row.geometry_begin = out_->geometry.size();
  for (od::field field : object) {
    const std::string_view key = field.unescaped_key();
    if (key == "segmentation") {
      enter(key, kSegmentation);
      read_segmentation(field.value(), row);
    } else if (key == "area") {
      enter(key, kArea);
      row.area = read_double(field.value());
      if (row.area < 0) refuse(fmt::format("{} cannot be", row.area));
    } else if (key == "iscrowd") {
      enter(key, kCrowd);
      row.crowd = read_flag(field.value()) ? 1 : 0;
    } else if (key == "image_id") {
      enter(key, kImage);
      parsed.image_id = read_id(field.value());
    } else if (key == "bbox") {
      enter(key, kBox);
      read_box(field.value(), row.box);
    } else if (key == "category_id") {
      enter(key, kCategory);
      parsed.category_id = read_id(field.value());
    } else if (key == "id") {
      enter(key, kId);
      row.id = read_id(field.value());
    } else {
      check_unused(field.value());
    }
  }
  require(kId, "id");
  require(kImage, "image_id");
  require(kCategory, "category_id");
  require(kBox, "bbox");
  require(kArea, "area");
  row.geometry_size = static_cast<uint32_t>(out_->geometry.size() - row.geometry_begin);
  out_->objects.push_back(parsed);
}

void AnnotationParser::Implementation::parse(const std::string& path, const JsonPiece& piece,
                                             ParsedPiece& parsed) {
  out_ = &parsed;
  size_t at = 1;  // where the current element begins
  try {
    od::document document = parser_.iterate(piece.text.data(), piece.size, piece.text.size());
    for (od::value element : document.get_array()) {
      const std::string_view token = element.raw_json_token();
      at = static_cast<size_t>(token.data() - piece.text.data());
      const size_t geometry_before = out_->geometry.size();
      place_ = {};
      seen_ = 0;
      try {
        od::object object;
        if (element.get_object().get(object) != simdjson::SUCCESS) refuse("is not an object");
        read_annotation(object);
      } catch (const Refusal& refusal) {
        out_->geometry.resize(geometry_before);
        out_->problems.push_back(
            {out_->num_elements, find_element_id(piece, at), refusal.where, refusal.problem});
      }
      ++out_->num_elements;
    }
  } catch (const simdjson::simdjson_error& error) {
    fail_invalid_json(path, piece, at, simdjson::error_message(error.error()));
  }
}

AnnotationParser::AnnotationParser() : implementation_(std::make_unique<Implementation>()) {}
AnnotationParser::~AnnotationParser() = default;

void AnnotationParser::parse(const std::string& path, const JsonPiece& piece, ParsedPiece& parsed) {
  implementation_->parse(path, piece, parsed);
}

}  // namespace mrcnn
