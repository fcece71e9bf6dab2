#include "data/voc/annotation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "core/error.h"
#include "data/voc/xml.h"

namespace mrcnn {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

VocAnnotation parse(const std::string& text) {
  return parse_voc_annotation(bytes_of(text), "a.xml");
}

std::string problem_of(const std::string& text) {
  try {
    parse(text);
  } catch (const FileError& error) {
    CHECK(error.exit_code() == ExitCode::kData);
    return error.what();
  }
  return "";
}

std::string repeated(const std::string& text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) result += text;
  return result;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

const std::string kWhole =
    "<?xml version=\"1.0\"?>\n"
    "<annotation>\n"
    "<filename>a.jpg</filename>\n"
    "<size><width> 500 </width><height>375</height><depth>3</depth></size>\n"
    "<object>\n"
    "<name>person</name><difficult>1</difficult>\n"
    "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>\n"
    "<bndbox><ymax>40</ymax><xmax>45.70</xmax>\n"
    "<xmin>3</xmin><ymin>4</ymin></bndbox>\n"
    "</object>\n"
    "<object><name>cat &amp; dog</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax>"
    "<ymax>4</ymax></bndbox></object>\n"
    "</annotation>\n";

TEST_CASE("Sizes and objects are read, parts and the rest are skipped") {
  const VocAnnotation annotation = parse(kWhole);
  CHECK(annotation.height == 375);
  CHECK(annotation.width == 500);
  REQUIRE(annotation.objects.size() == 2);
  CHECK(annotation.objects[0].name == "person");
  CHECK(annotation.objects[0].difficult);
  CHECK(annotation.objects[0].box == std::array<double, 4>{3, 4, 45.7, 40});
  CHECK(annotation.objects[1].name == "cat & dog");
  CHECK_FALSE(annotation.objects[1].difficult);
}

TEST_CASE("What is missing, doubled or no number is named with its line") {
  CHECK(problem_of(replaced(kWhole, "<width> 500 </width>", "")) ==
        "a.xml: line 4: <size> has no <width>");
  CHECK(problem_of(replaced(kWhole, "<name>person</name>", "")) ==
        "a.xml: line 5: <object> has no <name>");
  CHECK(problem_of(replaced(kWhole, "<xmin>3</xmin>", "<xmin>3</xmin><xmin>3</xmin>")) ==
        "a.xml: line 9: <bndbox> has 2 <xmin>");
  CHECK(problem_of(replaced(kWhole, "45.70", "45,70")) ==
        "a.xml: line 8: <xmax> is \"45,70\", not a number");
  CHECK(problem_of(replaced(kWhole, "45.70", "nan")) != "");
  CHECK(problem_of(replaced(kWhole, "45.70", "1e999")) != "");
  CHECK(problem_of(replaced(kWhole, "45.70", "")) != "");
  CHECK(problem_of(replaced(kWhole, " 500 ", "0")) ==
        "a.xml: line 4: <width> is 0, not a number of pixels");
  CHECK(problem_of(replaced(kWhole, " 500 ", "1.5")) != "");
  CHECK(problem_of(replaced(kWhole, " 500 ", "99999999999")) != "");
  CHECK(problem_of("<html></html>") == "a.xml: line 1: <annotation> expected, not <html>");
}

TEST_CASE("Rejects XML that is damaged") {
  CHECK(problem_of("") == "a.xml: the file is empty");
  for (size_t length = 1; length < kWhole.size() - 1; ++length) {
    CHECK(problem_of(kWhole.substr(0, length)) != "");
  }
  CHECK(problem_of(replaced(kWhole, "</object>", "</objekt>")) ==
        "a.xml: line 10: damaged XML: mismatched tag");
  CHECK(problem_of(replaced(kWhole, "person", "per\xffson")).find("line 6: damaged XML") !=
        std::string::npos);
  CHECK(problem_of(kWhole + "<more/>") != "");
  CHECK(problem_of(std::string(100, '\0')) != "");
}

TEST_CASE("Rejects XML that is made to harm") {
  // Entities that grow exponentially, and one that reads a file: both need a document type.
  std::string laughs = "<!DOCTYPE annotation [<!ENTITY a \"ha\">";
  for (char c = 'b'; c <= 'z'; ++c) {
    const std::string inner = std::string("&") + static_cast<char>(c - 1) + ";";
    laughs += std::string("<!ENTITY ") + c + " \"" + repeated(inner, 10) + "\">";
  }
  laughs += "]><annotation>&z;</annotation>";
  CHECK(problem_of(laughs) == "a.xml: line 1: a document type is not allowed in annotations");
  CHECK(problem_of("<!DOCTYPE a [<!ENTITY f SYSTEM \"file:///etc/hostname\">]><a>&f;</a>") ==
        "a.xml: line 1: a document type is not allowed in annotations");
  CHECK(problem_of("<a>&f;</a>") == "a.xml: line 1: damaged XML: undefined entity");

  CHECK(problem_of(repeated("<a>", 100'000)) ==
        "a.xml: line 1: elements are nested deeper than 16");
  CHECK(problem_of("<a>" + repeated("<b/>", 100'001) + "</a>") ==
        "a.xml: line 1: more than 100000 elements");
  const std::string huge = "<a>" + std::string(size_t{4} << 20, 'x') + "</a>";
  CHECK(problem_of(huge).find("more than the limit of 4194304") != std::string::npos);
  CHECK_THROWS_AS(parse_xml(bytes_of("<a></a>"), "a.xml", {.max_bytes = 6}), FileError);
}

}  // namespace
}  // namespace mrcnn
