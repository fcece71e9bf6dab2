#include "tools/report/utf8.h"

#include <doctest/doctest.h>

using namespace mrcnn;

TEST_CASE("KeepsWellFormedText") {
  for (const char* text : {"", "abc", "\u00e9", "\u20ac", "\U0001F600", "\uD7FF", "\U0010FFFF"}) {
    CHECK(to_valid_utf8(text) == text);
  }
}

TEST_CASE("ReplacesEachWrongByte") {
  const std::string mark = "\uFFFD";
  CHECK(to_valid_utf8("a\xff"
                      "b") == "a" + mark + "b");
  CHECK(to_valid_utf8("\xc3") == mark);                                // cut off
  CHECK(to_valid_utf8("\xc0\xaf") == mark + mark);                     // overlong '/'
  CHECK(to_valid_utf8("\xed\xa0\x80") == mark + mark + mark);          // surrogate
  CHECK(to_valid_utf8("\xf4\x90\x80\x80").size() == 4 * mark.size());  // past U+10FFFF
  CHECK(to_valid_utf8("\xe2\x82g") == mark + mark + "g");
}

TEST_CASE("PrintableTextHasNoControlCharacters") {
  CHECK(printable("a\x1b[2Jb\nc\x7f") == "a?[2Jb?c?");
  CHECK(printable("\xff") == "\uFFFD");
}

TEST_CASE("CountsAndCutsCodePoints") {
  CHECK(count_code_points("a\u00e9\u20ac") == 3);
  CHECK(take_code_points("a\u00e9\u20acx", 3) == "a\u00e9\u20ac");
  CHECK(take_code_points("ab", 5) == "ab");
  CHECK(take_code_points("ab", 0) == "");
}
