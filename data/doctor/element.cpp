#include "data/doctor/element.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "data/coco/annotation_writer.h"

namespace mrcnn {
namespace {

namespace dom = simdjson::dom;

constexpr double kExactIntegers = 9007199254740992;  // 2^53: doubles beyond it skip integers

template <typename T>
bool parse_text(std::string_view text, T& value) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string spelled_id(dom::object object, std::string_view key) {
  dom::element value;
  if (object.at_key(key).get(value) != simdjson::SUCCESS) return {};
  return value.is_number() || value.is_string() ? shown_value(value) : std::string();
}

// Strings that stand for tokens JSON has not become null.
std::string without_tokens(dom::element value) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    const bool token = text == "NaN" || text == "Infinity" || text == "-Infinity";
    return token ? "null" : json_text(text);
  }
  std::string out;
  dom::array array;
  dom::object object;
  if (value.get(array) == simdjson::SUCCESS) {
    for (const dom::element item : array) out += (out.empty() ? "" : ",") + without_tokens(item);
    return "[" + out + "]";
  }
  if (value.get(object) == simdjson::SUCCESS) {
    for (const auto [key, item] : object) {
      out += (out.empty() ? "" : ",") + json_text(key) + ":" + without_tokens(item);
    }
    return "{" + out + "}";
  }
  return simdjson::minify(value);
}

}  // namespace

NumberRead read_number(const dom::element& value) {
  NumberRead read;
  std::string_view text;
  if (value.is_number()) {
    read.value = double(value);
    read.form =
        std::isfinite(read.value) ? NumberRead::Form::kNumber : NumberRead::Form::kNotFinite;
  } else if (value.get(text) == simdjson::SUCCESS && parse_text(text, read.value)) {
    // from_chars also takes "nan" and "inf".
    read.form = std::isfinite(read.value) ? NumberRead::Form::kText : NumberRead::Form::kNotFinite;
  }
  return read;
}

IntegerRead read_integer(const dom::element& value) {
  IntegerRead read;
  if (value.get(read.value) == simdjson::SUCCESS) {
    read.form = IntegerRead::Form::kNumber;
    return read;
  }
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS && parse_text(text, read.value)) {
    read.form = IntegerRead::Form::kText;
    return read;
  }
  const NumberRead number = read_number(value);
  if (number.form == NumberRead::Form::kOther) return read;
  const bool whole = number.form != NumberRead::Form::kNotFinite &&
                     std::abs(number.value) <= kExactIntegers &&
                     std::trunc(number.value) == number.value;
  read.form = IntegerRead::Form::kNotInteger;
  if (!whole) return read;
  read.value = static_cast<int64_t>(number.value);
  read.form = number.form == NumberRead::Form::kText ? IntegerRead::Form::kText
                                                     : IntegerRead::Form::kNumber;
  return read;
}

std::string shown_value(const dom::element& value) {
  constexpr size_t kMost = 60;
  std::string text = simdjson::minify(value);
  if (text.size() <= kMost) return text;
  size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

std::string type_name(const dom::element& value) {
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  if (value.is_string()) return "a string";
  if (value.is_bool()) return "true or false";
  return value.is_null() ? "null" : "a number";
}

Element::Element(Section section, int64_t index, int64_t byte, const dom::object& object,
                 std::vector<Finding>& findings, Repair& repair)
    : section_(section),
      index_(index),
      byte_(byte),
      object_(object),
      findings_(findings),
      first_finding_(findings.size()),
      repair_(repair) {
  find_duplicate_keys();
}

Element::~Element() {
  if (!repair_.drop) return;
  for (size_t i = first_finding_; i < findings_.size(); ++i) {
    findings_[i].remedy = Remedy::kDropped;
  }
}

void Element::find_duplicate_keys() {
  std::vector<std::string_view> keys;
  keys.reserve(16);
  std::set<std::string_view> reported;
  for (const auto field : object_) {
    const std::string_view key = field.key;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      keys.push_back(key);
    } else if (reported.insert(key).second) {
      report(FindingKind::kDuplicateKey, std::string(key), "appears twice", Remedy::kLastKept);
      repair_.rewrite = true;
    }
  }
}

void Element::report(FindingKind kind, const std::string& where, const std::string& problem,
                     Remedy remedy) {
  if (remedy == Remedy::kDropped) repair_.drop = true;
  findings_.push_back({.kind = kind,
                       .section = section_,
                       .remedy = remedy,
                       .element = index_,
                       .byte = byte_,
                       .id = spelled_id(object_, "id"),
                       .image_id = section_ == Section::kAnnotations
                                       ? spelled_id(object_, "image_id")
                                       : std::string(),
                       .where = where,
                       .file_name = {},
                       .problem = problem});
}

std::optional<dom::element> Element::find(std::string_view key) const {
  std::optional<dom::element> found;
  for (const auto field : object_) {
    if (field.key == key) found = field.value;
  }
  return found;
}

std::optional<dom::element> Element::require(std::string_view key) {
  std::optional<dom::element> value = find(key);
  if (!value) {
    report(FindingKind::kMissingKey, "", fmt::format("has no \"{}\"", key), Remedy::kDropped);
  }
  return value;
}

std::optional<int64_t> Element::require_integer(std::string_view key, FindingKind if_not_integer) {
  const std::optional<dom::element> value = require(key);
  if (!value) return std::nullopt;
  const IntegerRead read = read_integer(*value);
  const std::string where(key);
  switch (read.form) {
    case IntegerRead::Form::kNumber:
      return read.value;
    case IntegerRead::Form::kText:
      report(FindingKind::kNumberAsString, where,
             fmt::format("{} is a string: a number belongs there", shown_value(*value)),
             Remedy::kWrittenAsNumber);
      repair_.fields[where] = std::to_string(read.value);
      return read.value;
    case IntegerRead::Form::kNotInteger:
      report(if_not_integer, where, fmt::format("{} is not a 64-bit integer", shown_value(*value)),
             Remedy::kDropped);
      return std::nullopt;
    case IntegerRead::Form::kOther:
      break;
  }
  const bool odd_id = if_not_integer == FindingKind::kBadId && value->is_string();
  report(odd_id ? FindingKind::kBadId : FindingKind::kWrongType, where,
         fmt::format("is {}, {}: an integer belongs there", type_name(*value), shown_value(*value)),
         Remedy::kDropped);
  return std::nullopt;
}

std::optional<std::string_view> Element::require_text(std::string_view key) {
  const std::optional<dom::element> value = require(key);
  if (!value) return std::nullopt;
  std::string_view text;
  if (value->get(text) == simdjson::SUCCESS) return text;
  report(FindingKind::kWrongType, std::string(key),
         fmt::format("is {}, {}: a string belongs there", type_name(*value), shown_value(*value)),
         Remedy::kDropped);
  return std::nullopt;
}

std::optional<dom::object> parse_object(const JsonPiece& piece, const JsonElement& span,
                                        Section section, int64_t index, LenientParser& parser,
                                        std::vector<Finding>& findings) {
  dom::element value;
  dom::object object;
  std::string problem = span.problem;
  FindingKind kind = FindingKind::kInvalidJson;
  if (problem.empty() &&
      parser.parse(piece.text.data() + span.begin, span.end - span.begin, value, problem)) {
    if (value.get(object) == simdjson::SUCCESS) return object;
    kind = FindingKind::kWrongType;
    problem = fmt::format("is {}: an object belongs there", type_name(value));
  }
  findings.push_back(finding_at(section, index, span.byte, kind, problem, Remedy::kDropped));
  return std::nullopt;
}

std::string rewrite_element(const dom::object& object, const Repair& repair, bool replaced_tokens) {
  std::vector<std::pair<std::string_view, dom::element>> fields;
  for (const auto field : object) {
    const auto same = std::find_if(fields.begin(), fields.end(),
                                   [&](const auto& one) { return one.first == field.key; });
    if (same == fields.end()) {
      fields.emplace_back(field.key, field.value);
    } else {
      same->second = field.value;
    }
  }
  std::string out = "{";
  const auto add = [&out](std::string_view key, const std::string& value) {
    out += (out.size() > 1 ? "," : "") + json_text(key) + ":" + value;
  };
  for (const auto& [key, value] : fields) {
    const auto changed = repair.fields.find(key);
    if (changed != repair.fields.end()) {
      add(key, changed->second);
    } else {
      add(key, replaced_tokens ? without_tokens(value) : std::string(simdjson::minify(value)));
    }
  }
  for (const auto& [key, value] : repair.fields) {
    const bool there = std::any_of(fields.begin(), fields.end(),
                                   [&key](const auto& one) { return one.first == key; });
    if (!there) add(key, value);
  }
  return out + "}";
}

}  // namespace mrcnn
