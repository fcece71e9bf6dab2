#include "tools/report/html/evaluation_part.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "data/image/write.h"
#include "data/masks/rle.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/report/html/page_checks.h"
#include "tools/report/html/evaluation_page.h"

namespace mrcnn {
namespace {

using test::address_problem;
using test::count_of;
using test::markup_problem;

constexpr int64_t kHeight = 40, kWidth = 60;

Rle square(int64_t x, int64_t y, int64_t side) {
  std::vector<uint8_t> bitmap(static_cast<size_t>(kHeight * kWidth), 0);
  for (int64_t i = y; i < y + side; ++i) {
    std::fill_n(bitmap.begin() + i * kWidth + x, side, uint8_t{1});
  }
  return rle_from_bitmap(bitmap, kHeight, kWidth);
}

// Image 1 can be read, image 2 cannot; in each a square at (10, 10), in image 1 another one.
class TwoImages : public Dataset {
 public:
  explicit TwoImages(std::string path) : path_(std::move(path)) {}
  const std::string& name() const override { return path_; }
  int64_t size() const override { return 2; }
  const std::vector<DatasetClass>& classes() const override { return classes_; }
  DatasetImage image(int64_t index) const override {
    return {.id = index + 1,
            .path = index == 0 ? path_ : path_ + ".gone",
            .file_name = "<i>" + std::to_string(index) + ".png",
            .height = kHeight,
            .width = kWidth};
  }
  std::vector<DatasetObject> objects(int64_t index) const override {
    std::vector<DatasetObject> objects{object(1, 10, 10, 12)};
    if (index == 0) objects.push_back(object(2, 30, 5, 20));
    return objects;
  }
  std::string fingerprint() const override { return "none"; }

 private:
  static DatasetObject object(int64_t label, int64_t x, int64_t y, int64_t side) {
    const auto at = [](int64_t value) { return static_cast<double>(value); };
    DatasetObject one;
    one.id = one.label = label;
    one.box = {at(x), at(y), at(x + side), at(y + side)};
    one.area = at(side * side);
    one.mask = square(x, y, side);
    return one;
  }
  std::string path_;
  std::vector<DatasetClass> classes_{{1, 1, "<b>cat & \"dog\"</b>"}, {2, 2, ""}};
};

// The first square is found twice in image 1, the second square never, in image 2 nothing is right.
EvaluatedPart evaluate(const Dataset& dataset) {
  CocoEvaluator evaluator({1, 2}, IouKind::kMask, {.num_mistakes = 5});
  for (int64_t i = 0; i < 2; ++i) {
    std::vector<EvaluatedTruth> truths;
    for (DatasetObject& object : dataset.objects(i)) {
      const auto& [x1, y1, x2, y2] = object.box;
      truths.push_back({.id = object.id,
                        .category = object.label,
                        .box = {x1, y1, x2 - x1, y2 - y1},
                        .area = object.area,
                        .mask = std::move(object.mask)});
    }
    std::vector<EvaluatedDetection> found;
    const int64_t x = i == 0 ? 10 : 45;
    for (const double score : {0.9, 0.6}) {
      found.push_back({.category = 1,
                       .score = score,
                       .box = {static_cast<double>(x), 10, 12, 12},
                       .mask = square(x, 10, 12)});
    }
    evaluator.add(i + 1, truths, found);
  }
  return evaluated_part(IouKind::kMask, evaluator);
}

TEST_CASE("An evaluation has tables, charts and pictures of its mistakes") {
  const test::TemporaryDirectory folder;
  const TwoImages dataset(folder / "image.png");
  Tensor pixels = Tensor::zeros({kHeight, kWidth, 3}, DType::kU8);
  write_image(folder / "image.png", pixels);
  const EvaluatedPart part = evaluate(dataset);
  Page page("Evaluation", "");
  add_evaluation(page, dataset, std::span(&part, 1), "Of a test.");
  const std::string text = page.finish();
  CAPTURE(text);
  CHECK(markup_problem(text) == "");
  CHECK(address_problem(text) == "");
  CHECK(count_of(text, "<b>") == 0);
  for (const char* expected :
       {"<p>Of a test.</p>", "AP50: IoU 0.50",
        "<th scope=\"row\">&lt;b&gt;cat &amp; &quot;dog&quot;&lt;/b&gt;</th><td>2</td>",
        "<th scope=\"row\">class 2</th><td>1</td>", "Mask: precision by recall",
        "Mask: classes at IoU 0.50", "right: 1; wrong: 3", "Found, but wrong, by score",
        "60%, a second detection of one object; &lt;i&gt;0.png", "Not found, by size",
        "class 2, 400 pixels, best IoU 0.00; &lt;i&gt;0.png",
        "Some of their images could not be read."}) {
    CAPTURE(expected);
    CHECK(text.find(expected) != text.npos);
  }
  CHECK(count_of(text, "<img") == 2);  // of image 1: one of each kind
}

TEST_CASE("An evaluation has a page of its own") {
  const TwoImages dataset("none");
  const EvaluatedPart part = evaluate(dataset);
  EvaluationPage content{
      .title = "Evaluation of <x>", .subtitle = page_date(), .samples = {}, .facts = {}};
  content.samples.push_back({.jpeg = std::vector<std::byte>(3),
                             .height = 1,
                             .width = 1,
                             .alternative = "a & b",
                             .caption = "c"});
  content.facts = {{"Weights", "a.pth"}};
  const std::string text = evaluation_page(content, dataset, std::span(&part, 1));
  CAPTURE(text);
  CHECK(markup_problem(text) == "");
  CHECK(address_problem(text) == "");
  for (const char* expected : {"<h1>Evaluation of &lt;x&gt;</h1>", " UTC</p>",
                               "<dt>images</dt><dd>2</dd>", "<dt>mask AP50</dt><dd>0.252</dd>",
                               "alt=\"a &amp; b\"", "<td class=\"words\">a.pth</td>"}) {
    CAPTURE(expected);
    CHECK(text.find(expected) != text.npos);
  }
}

TEST_CASE("An evaluation of nothing is no evaluation") {
  const TwoImages dataset("none");
  Page page("Evaluation", "");
  add_evaluation(page, dataset, {});
  CHECK(page.finish().find("<section") == std::string::npos);
  const EvaluatedPart empty = evaluated_part(IouKind::kBox, CocoEvaluator({1, 2}, IouKind::kBox));
  add_evaluation(page, dataset, std::span(&empty, 1));
  const std::string text = page.finish();
  CHECK(markup_problem(text) == "");
  CHECK(text.find("nan") == text.npos);
  CHECK(text.find("Mistakes") == text.npos);
}

}  // namespace
}  // namespace mrcnn
