#include "tools/report/json_writer.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

#include "core/error.h"
#include "core/random.h"

using namespace mrcnn;

namespace {

struct Document {
  std::string text;
  JsonWriter json{[this](std::string_view part) { text += part; }};

  template <typename T>
  static std::string of(T value) {
    Document document;
    document.json.value(value);
    document.json.finish();
    document.text.pop_back();  // the final line break
    return document.text;
  }
};

}  // namespace

TEST_CASE("RejectsNumbersThatAreNotFinite") {
  const float infinity = std::numeric_limits<float>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(Document::of(infinity), "[json] a number that is not finite");
  CHECK_THROWS_WITH(Document::of(-infinity), "[json] a number that is not finite");
  CHECK_THROWS_WITH(Document::of(nan), "[json] a number that is not finite");
}

TEST_CASE("RejectsWrongNesting") {
  CHECK_THROWS_AS(Document().json.finish(), Error);
  CHECK_THROWS_AS(Document().json.end_array(), Error);
  CHECK_THROWS_AS(Document().json.key("a"), Error);
  Document array;
  array.json.begin_array();
  CHECK_THROWS_AS(array.json.key("a"), Error);
  CHECK_THROWS_AS(array.json.end_object(), Error);
  CHECK_THROWS_AS(array.json.finish(), Error);
  Document object;
  object.json.begin_object();
  CHECK_THROWS_AS(object.json.value(true), Error);
  object.json.key("a");
  CHECK_THROWS_AS(object.json.key("b"), Error);
  CHECK_THROWS_AS(object.json.end_object(), Error);
  Document two;
  two.json.value(true);
  CHECK_THROWS_AS(two.json.value(true), Error);
}

TEST_CASE("WritesNestedValuesOneItemPerLine") {
  Document document;
  JsonWriter& json = document.json;
  json.begin_array(JsonWriter::Layout::kLinePerItem);
  for (const int64_t id : {1, 2}) {
    json.begin_object();
    json.key("id");
    json.value(id);
    json.key("box");
    json.begin_array();
    json.value(0.5F);
    json.value(-2.0F);
    json.end_array();
    json.key("crowd");
    json.value(false);
    json.key("area");
    json.null();
    json.key("name");
    json.value("dog");
    json.end_object();
  }
  json.end_array();
  json.finish();
  CHECK(document.text ==
        "[\n"
        "{\"id\":1,\"box\":[0.5,-2],\"crowd\":false,\"area\":null,\"name\":\"dog\"},\n"
        "{\"id\":2,\"box\":[0.5,-2],\"crowd\":false,\"area\":null,\"name\":\"dog\"}\n"
        "]\n");
}

TEST_CASE("WritesAnEmptyArray") {
  Document document;
  document.json.begin_array(JsonWriter::Layout::kLinePerItem);
  document.json.end_array();
  document.json.finish();
  CHECK(document.text == "[]\n");
}

TEST_CASE("EscapesStrings") {
  CHECK(Document::of("plain / text") == "\"plain / text\"");
  CHECK(Document::of("a\"b\\c") == R"("a\"b\\c")");
  CHECK(Document::of("line\nbreak\ttab") == R"("line\u000abreak\u0009tab")");
  CHECK(Document::of(std::string_view("\0\x1f\x7f", 3)) == R"("\u0000\u001f\u007f")");
  CHECK(Document::of("gr\u00fcn \U0001F600") == "\"gr\u00fcn \U0001F600\"");
  CHECK(Document::of("latin1 \xfc.jpg") == "\"latin1 \uFFFD.jpg\"");
}

TEST_CASE("NumbersAreTheShortestThatReadBack") {
  CHECK(Document::of(0.1F) == "0.1");
  CHECK(Document::of(0.98765432F) == "0.9876543");
  CHECK(Document::of(640.0F) == "640");
  CHECK(Document::of(-0.0F) == "-0");
  CHECK(Document::of(1e-20F) == "1e-20");
  CHECK(Document::of(0.1) == "0.1");
  CHECK(Document::of(std::numeric_limits<int64_t>::min()) == "-9223372036854775808");
  const RandomStream random{.seed = 3};
  for (uint64_t i = 0; i < 2000; ++i) {
    const float number = (random.uniform(2 * i) - 0.5F) * static_cast<float>(1 << (i % 24));
    CHECK(std::strtof(Document::of(number).c_str(), nullptr) == number);
  }
}

TEST_CASE("HandsTextOnAsItGrows") {
  size_t largest = 0;
  size_t total = 0;
  JsonWriter json([&](std::string_view part) {
    largest = std::max(largest, part.size());
    total += part.size();
  });
  json.begin_array(JsonWriter::Layout::kLinePerItem);
  for (int i = 0; i < 20000; ++i) {
    json.begin_object();
    json.key("text");
    json.value("0123456789012345678901234567890123456789");
    json.end_object();
  }
  json.end_array();
  json.finish();
  CHECK(total > 1000000);
  CHECK(largest < 70000);
}
