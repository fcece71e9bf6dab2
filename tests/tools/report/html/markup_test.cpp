#include "tools/report/html/markup.h"

#include <doctest/doctest.h>

namespace mrcnn {
namespace {

TEST_CASE("Nothing of a text is markup") {
  CHECK(escaped("<script>alert(\"1\" & '2')</script>") ==
        "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
  CHECK(escaped("caf\u00e9 \u732b") == "caf\u00e9 \u732b");
  CHECK(escaped("a\xFF"
                "b") ==
        "a\uFFFD"
        "b");
  CHECK(escaped(std::string_view("a\0b\n\x1b[31m", 9)) == "a?b??[31m");
}

TEST_CASE("Long names are cut between characters") {
  CHECK(shortened("person", 6) == "person");
  CHECK(shortened("a person", 6) == "a per\u2026");
  CHECK(shortened("\u732b\u732b\u732b\u732b", 3) == "\u732b\u732b\u2026");
}

// RFC 4648, section 10.
TEST_CASE("Base 64 is RFC 4648's") {
  const auto encode = [](std::string_view text) { return base64(std::as_bytes(std::span(text))); };
  CHECK(encode("") == "");
  CHECK(encode("f") == "Zg==");
  CHECK(encode("fo") == "Zm8=");
  CHECK(encode("foo") == "Zm9v");
  CHECK(encode("foob") == "Zm9vYg==");
  CHECK(encode("fooba") == "Zm9vYmE=");
  CHECK(encode("foobar") == "Zm9vYmFy");
  CHECK(encode("\xFF\xFE\xFD") == "//79");
  CHECK(data_uri("image/jpeg", std::as_bytes(std::span(std::string_view("foo")))) ==
        "data:image/jpeg;base64,Zm9v");
}

}  // namespace
}  // namespace mrcnn
