// One element of a section while it is checked: reads its fields, notes what is wrong with them and
// what a cleaned copy says instead.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/doctor/finding.h"
#include "data/doctor/lenient_json.h"

namespace simdjson::dom {
class element;
class object;
}  // namespace simdjson::dom

namespace mrcnn {

// What a cleaned copy makes of an element.
struct Repair {
  bool drop = false;
  bool rewrite = false;  // even if no field changes: a key appears twice, or NaN stands somewhere
  std::map<std::string, std::string, std::less<>> fields;  // new values as JSON, by key

  bool changes() const { return drop || rewrite || !fields.empty(); }
};

struct NumberRead {
  enum class Form { kNumber, kText, kNotFinite, kOther };
  Form form = Form::kOther;
  double value = 0;  // of kNumber and kText
};
NumberRead read_number(const simdjson::dom::element& value);

struct IntegerRead {
  enum class Form { kNumber, kText, kNotInteger, kOther };
  Form form = Form::kOther;
  int64_t value = 0;
};
// 7.0 is a number; "7" is text.
IntegerRead read_integer(const simdjson::dom::element& value);

// For messages: a number, or a string cut at some length.
std::string shown_value(const simdjson::dom::element& value);
std::string type_name(const simdjson::dom::element& value);  // "a string"

class Element {
 public:
  // `object` stays where it is while this lives.
  Element(Section section, int64_t index, int64_t byte, const simdjson::dom::object& object,
          std::vector<Finding>& findings, Repair& repair);
  Element(const Element&) = delete;
  Element& operator=(const Element&) = delete;
  // Where the element is dropped, every finding about it says so.
  ~Element();

  void report(FindingKind kind, const std::string& where, const std::string& problem,
              Remedy remedy);
  void drop() { repair_.drop = true; }
  Repair& repair() { return repair_; }

  // The value of a key, the last if there are several; nothing if there is none.
  std::optional<simdjson::dom::element> find(std::string_view key) const;
  // The same; if there is none, that is reported and the element dropped.
  std::optional<simdjson::dom::element> require(std::string_view key);

  // An integer of a key that must be there: as id an integer of any sign. What is no integer is
  // reported and dropped; a string of digits is reported and written as a number.
  std::optional<int64_t> require_integer(std::string_view key, FindingKind if_not_integer);
  std::optional<std::string_view> require_text(std::string_view key);

 private:
  void find_duplicate_keys();

  Section section_;
  int64_t index_;
  int64_t byte_;
  const simdjson::dom::object& object_;
  std::vector<Finding>& findings_;
  size_t first_finding_;
  Repair& repair_;
};

// The object of an element that was split off; if it is none, that is reported. `parser` owns it.
std::optional<simdjson::dom::object> parse_object(const JsonPiece& piece, const JsonElement& span,
                                                  Section section, int64_t index,
                                                  LenientParser& parser,
                                                  std::vector<Finding>& findings);

// The element as JSON with the repair's values. `replaced_tokens`: strings that stand for NaN and
// Infinity become null.
std::string rewrite_element(const simdjson::dom::object& object, const Repair& repair,
                            bool replaced_tokens);

}  // namespace mrcnn
