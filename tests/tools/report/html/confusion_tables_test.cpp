#include "tools/report/html/confusion_tables.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/tools/report/html/page_checks.h"

namespace mrcnn {
namespace {

constexpr CocoBox kHere{0, 0, 10, 10}, kThere{50, 50, 10, 10}, kNowhere{100, 0, 5, 5};

std::string page_of(const ConfusionMatrix& confusion) {
  const std::vector<DatasetClass> classes{{1, 1, "cat"}, {2, 2, "<dog>"}};
  Page page("Evaluation", "");
  add_confusion(page, classes, confusion);
  std::string text = page.finish();
  CHECK(test::markup_problem(text) == "");
  return text;
}

// A cat found as a dog, a dog not found, and a cat where nothing is.
TEST_CASE("Outcomes of each class and the classes that are mixed up") {
  ConfusionMatrix confusion({1, 2}, IouKind::kBox);
  confusion.add(std::vector<EvaluatedTruth>{{.id = 1, .category = 1, .box = kHere, .area = 100},
                                            {.id = 2, .category = 2, .box = kThere, .area = 100}},
                std::vector<EvaluatedDetection>{{.category = 2, .score = 0.9, .box = kHere},
                                                {.category = 1, .score = 0.8, .box = kNowhere}});
  const std::string text = page_of(confusion);
  CAPTURE(text);
  const auto share = [](const char* percent, const char* count) {
    return std::string("<td class=\"share\" style=\"--v:") + percent + "%\">" + count + "</td>";
  };
  const std::string none = share("0.0", "0"), all = share("100.0", "1");
  for (const std::string& expected :
       {"<th scope=\"row\">cat</th><td>1</td>" + none + all + none + "<td>1</td>",
        "<th scope=\"row\">&lt;dog&gt;</th><td>1</td>" + none + none + all + "<td>0</td>",
        "<th scope=\"row\">cat</th><td class=\"words\">&lt;dog&gt;</td>" + all}) {
    CAPTURE(expected);
    CHECK(text.find(expected) != text.npos);
  }
}

TEST_CASE("A matrix without mistakes says so") {
  ConfusionMatrix confusion({1, 2}, IouKind::kBox);
  confusion.add(std::vector<EvaluatedTruth>{{.id = 1, .category = 1, .box = kHere, .area = 100}},
                std::vector<EvaluatedDetection>{{.category = 1, .score = 0.9, .box = kHere}});
  const std::string text = page_of(confusion);
  CHECK(text.find("No class is taken for another.") != text.npos);
  CHECK(text.find("Mixed up most") == text.npos);
}

}  // namespace
}  // namespace mrcnn
