#include "data/coco/json_sections.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/io/sha256.h"
#include "tests/data/coco/annotation_text.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

std::string text_of(const JsonPiece& piece) { return {piece.text.data(), piece.size}; }

// "section:text" of each piece.
std::vector<std::string> pieces_of(const std::string& content) {
  const test::TemporaryDirectory folder;
  SourceFile file(folder.write("a.json", content));
  Sha256 hash;
  JsonSections sections(file, JsonRoot::kSections, &hash);
  std::vector<std::string> pieces;
  JsonPiece piece;
  while (sections.next(piece)) {
    CHECK(piece.number == static_cast<int64_t>(pieces.size()));
    CHECK(content.substr(static_cast<size_t>(piece.begin), piece.size - 2) ==
          text_of(piece).substr(1, piece.size - 2));
    pieces.push_back(piece.section + ":" + text_of(piece));
  }
  Sha256 whole;
  whole.update(std::as_bytes(std::span(content)));
  CHECK(hash.finish() == whole.finish());
  return pieces;
}

void check_refused(const std::string& content, const std::string& message) {
  CAPTURE(content.substr(0, 200));
  CHECK_THROWS_WITH_AS(pieces_of(content), doctest::Contains(message.c_str()), FileError);
}

// The text of each piece of a file whose root is a list.
std::vector<std::string> list_pieces_of(const std::string& content) {
  const test::TemporaryDirectory folder;
  SourceFile file(folder.write("a.json", content));
  JsonSections sections(file, JsonRoot::kList);
  std::vector<std::string> pieces;
  JsonPiece piece;
  while (sections.next(piece)) {
    CHECK(piece.is_array);
    CHECK(piece.is_first == pieces.empty());
    CHECK(piece.section.empty());
    pieces.push_back(text_of(piece));
  }
  return pieces;
}

TEST_CASE("AListIsOneSection") {
  CHECK(list_pieces_of(" [] \n") == std::vector<std::string>{"[]"});
  CHECK(list_pieces_of("[{\"a\": [1]}, {}]") == std::vector<std::string>{"[{\"a\": [1]}, {}]"});
  std::string content = "[";
  for (int i = 0; i < 30; ++i) {
    content += (i > 0 ? ",{\"a\": \"" : "{\"a\": \"") + std::string(100'000, 'x') + "\"}";
  }
  const std::vector<std::string> pieces = list_pieces_of(content + "]");
  CHECK(pieces.size() > 1);
  std::string joined;
  for (const std::string& piece : pieces) {
    joined += (joined.empty() ? "" : ",") + piece.substr(1, piece.size() - 2);
  }
  CHECK(joined == content.substr(1));
  const auto refused = [](const std::string& text, const char* message) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(list_pieces_of(text), doctest::Contains(message), FileError);
  };
  refused("", "is empty");
  refused("{}", "is an object, as files of annotations are");
  refused("3", "is not a JSON list: it begins with '3'");
  refused("[{}", "ends inside the list: it is truncated");
  refused("[{} {}}", "'}' without its '{'");
  refused("[{}] {}", "byte 5: has '{' behind the end of its JSON list");
}

TEST_CASE("RejectsWhatIsNoJsonObject") {
  check_refused("", "byte 0: is empty");
  check_refused("  ", "is not a JSON object: it begins with the end");
  check_refused("null", "it begins with 'n'");
  check_refused("[]", "is a list, as files of results are");
  check_refused("\xEF\xBB\xBF{}", "byte order mark");
  check_refused(std::string("\xFF\xFE{\0}\0", 6), "UTF-16");
  check_refused(std::string("\0{\0}", 4), "UTF-16");
  check_refused("{} {}", "byte 3: has '{' behind the end");
  check_refused("{\"a\": 1,}", "'}' where a key belongs");
  check_refused("{,}", "',' where a key belongs");
  check_refused("{\"a\" 1}", "'1' where ':' belongs");
  check_refused("{\"a\": 1 \"b\": 2}", "where ',' or '}' belongs");
  check_refused("{\"a\": [}]}", "'}' without its '{'");
  check_refused("{\"a\xFF\": 1}", "not UTF-8");
  check_refused("{\"" + std::string(5000, 'k') + "\": 1}", "a key of more than");
  const std::string deep(100000, '[');
  check_refused("{\"a\": " + deep, "byte 71: is nested more than 64 levels deep");
  check_refused("{\"a\": {\"b\": " + deep, "is nested more than 64 levels deep");
}

TEST_CASE("EveryTruncationIsNoticed") {
  const std::string content = test::annotation_file(test::AnnotationText{});
  const size_t end = content.rfind('}');
  for (size_t size = 0; size <= end; ++size) {
    CAPTURE(size);
    CHECK_THROWS_AS(pieces_of(content.substr(0, size)), FileError);
  }
  CHECK_NOTHROW(pieces_of(content.substr(0, end + 1)));
}

TEST_CASE("SmallSectionsAreOnePieceEach") {
  CHECK(pieces_of("{}").empty());
  CHECK(
      pieces_of(" {\"a\" :[ ] , \"b\":[{\"]\\\"\": \"}\"}, [1]] ,\"c\": -1.5e3, \"d\": \"x,}\\\"\","
                "\"e\": {\"f\": [1, \"{\"]}, \"g\": null} \n") ==
      std::vector<std::string>{"a:[]", "b:[{\"]\\\"\": \"}\"}, [1]]", "c:[-1.5e3]",
                               "d:[\"x,}\\\"\"]", "e:[{\"f\": [1, \"{\"]}]", "g:[null]"});
}

TEST_CASE("LongSectionsAreCutBetweenElements") {
  // 5 MB of elements from 2 bytes to 100 kB, with brackets and quotes in strings.
  std::string elements;
  std::vector<std::string> all;
  for (size_t i = 0; elements.size() < size_t{5} << 20; ++i) {
    const size_t length = i % 97 == 0 ? 100000 : i % 50;
    all.push_back(i % 7 == 0 ? "{}" : "{\"k\\\\\": \"" + std::string(length, ']') + "\\\"{\"}");
    elements += (i == 0 ? "" : i % 3 == 0 ? " ,\n" : ", ") + all.back();
  }
  const std::vector<std::string> pieces = pieces_of("{\"a\": [ " + elements + " ]}");
  REQUIRE(pieces.size() >= 5);
  std::string joined;
  for (const std::string& piece : pieces) {
    CHECK(piece.starts_with("a:[{"));
    CHECK(piece.size() < size_t{2} << 20);
    const size_t last = piece.find_last_not_of(" ]");
    CHECK(piece[last] == '}');
    joined += (joined.empty() ? "" : ",") + piece.substr(3, piece.size() - 4);
  }
  // What stood between elements of two pieces is one comma now.
  std::string expected;
  for (const std::string& element : all) expected += element;
  const auto without_gaps = [](const std::string& text) {
    std::string kept;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '"') {
        const size_t end = skip_json_string(text.data(), i, text.size());
        kept += text.substr(i, end - i);
        i = end - 1;
      } else if (text[i] == '{' || text[i] == '}') {
        kept += text[i];
      }
    }
    return kept;
  };
  CHECK(without_gaps(joined) == without_gaps(expected));
}

TEST_CASE("GapsBetweenPiecesAreChecked") {
  const std::string element = "{\"k\": \"" + std::string(size_t{1} << 20, 'x') + "\"}";
  CHECK(pieces_of("{\"a\": [" + element + " , " + element + " ]}").size() == 2);
  check_refused("{\"a\": [" + element + " " + element + "]}", "'{' where ',' or ']' belongs");
  check_refused("{\"a\": [" + element + ", ]}", "an element is missing behind ','");
  check_refused("{\"a\": [" + element + "}", "'}' where ',' or ']' belongs");
  check_refused("{\"a\": [" + element + ",", "ends inside \"a\"");
  check_refused("{\"a\": [" + element, "ends inside \"a\"");
}

TEST_CASE("RejectsElementsThatWouldTakeAllMemory") {
  const std::string huge((size_t{66} << 20), ' ');
  check_refused("{\"a\": [{" + huge + "}]}", "an element of more than 64 MiB in \"a\"");
  check_refused("{\"a\": \"" + huge + "\"}", "a value of more than 64 MiB: \"a\"");
}

}  // namespace
}  // namespace mrcnn
