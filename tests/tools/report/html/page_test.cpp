#include "tools/report/html/page.h"

#include <doctest/doctest.h>

#include <string>

#include "core/error.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/report/html/page_checks.h"

namespace mrcnn {
namespace {

using test::address_problem;
using test::count_of;
using test::markup_problem;

constexpr const char* kHostile = "\"><script src='http://x'>&\xC3</script>";

std::string hostile_page() {
  Page page(kHostile, kHostile);
  page.section(kHostile);
  page.heading(kHostile);
  page.paragraph(kHostile);
  page.tiles({{kHostile, kHostile}});
  page.figures({{kHostile, "<svg></svg>"}});
  page.section("Second");
  page.table({kHostile,
              {kHostile, "b"},
              {{{.text = kHostile}, {.text = kHostile, .share = 7}}, {{.text = "x"}}, {}}});
  page.pictures({{.jpeg = std::vector<std::byte>(10),
                  .height = 2,
                  .width = 3,
                  .alternative = kHostile,
                  .caption = kHostile}});
  return page.finish();
}

TEST_CASE("A page stays a page whatever it is told") {
  const std::string page = hostile_page();
  CAPTURE(page);
  CHECK(markup_problem(page) == "");
  CHECK(page.find("<script") == page.npos);
  CHECK(page.find("style=\"--v:100.0%\"") != page.npos);
  CHECK(count_of(page, "&quot;&gt;&lt;script src=&#39;") == 17);
}

TEST_CASE("A page asks nobody for anything and fits phones and readers") {
  Page page("Title", "what it is");
  page.section("One");
  page.section("Two");
  page.table({"numbers", {"a", "b"}, {{{.text = "1"}, {.text = "2", .words = true}}}});
  page.pictures({{.jpeg = std::vector<std::byte>(9, std::byte{0xFF}),
                  .height = 4,
                  .width = 5,
                  .alternative = "a cat",
                  .caption = "cat"}});
  const std::string text = page.finish();
  CHECK(markup_problem(text) == "");
  CHECK(address_problem(text) == "");
  CHECK(text.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
  for (const char* part :
       {"<meta charset=\"utf-8\">", "name=\"viewport\"", "default-src 'none'", "color-scheme",
        "prefers-color-scheme: dark", "<a href=\"#part2\">Two</a>", "<h2 id=\"part2\">Two</h2>",
        "<caption>numbers</caption>",
        "<th scope=\"col\">a</th><th scope=\"col\" class=\"words\">b</th>",
        "<th scope=\"row\">1</th>",
        "src=\"data:image/jpeg;base64,////////////\" width=\"5\" height=\"4\" alt=\"a cat\""}) {
    CAPTURE(part);
    CHECK(text.find(part) != text.npos);
  }
}

TEST_CASE("The checks see what they are for") {
  for (const char* bad :
       {"<p>", "<p></b>", "<p>a & b</p>", "<p>a > b</p>", "<p title=\"<\"></p>", "<p", "</p>"}) {
    CAPTURE(bad);
    CHECK(markup_problem(bad) != "");
  }
  CHECK(markup_problem("<p>a &amp; b<br/><img src=\"data:,\"></p>") == "");
  for (const char* bad : {"<img src=\"a.png\">", "<a href=\"https://x\">", "<p>http://x</p>",
                          "<style>a{background:url(x)}</style>", "<script>"}) {
    CAPTURE(bad);
    CHECK(address_problem(bad) != "");
  }
}

TEST_CASE("Pictures that would make a page too large are left out") {
  Page page("Title", "");
  const PagePicture large{.jpeg = std::vector<std::byte>(400000),
                          .height = 1,
                          .width = 1,
                          .alternative = "a",
                          .caption = "c"};
  page.pictures({large, large, large, large});
  const std::string text = page.finish();
  CHECK(text.size() < 1200000);
  CHECK(count_of(text, "<img") == 1);
  CHECK(text.find("<p>3 more are left out for want of room.</p>") != text.npos);
}

TEST_CASE("A file is written whole or an error says why") {
  const test::TemporaryDirectory folder;
  write_text_file(folder / "page.html", "text");
  CHECK(test::read_text(folder / "page.html") == "text");
  CHECK_THROWS_AS(write_text_file(folder / "none/page.html", "text"), FileError);
}

}  // namespace
}  // namespace mrcnn
