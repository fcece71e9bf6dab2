#include "tools/trainer/run_report.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "core/error.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/report/html/page_checks.h"

namespace mrcnn {
namespace {

using test::address_problem;
using test::count_of;
using test::markup_problem;

RunReport report_of(const std::string& out) {
  RunReport report;
  report.config.out = out;
  report.config.data = "shapes & <more>";
  report.outcome = "finished";
  report.step = report.total_steps = 1125;
  report.elapsed_s = 345.6;
  report.date = "2026-11-28 12:00 UTC";
  report.facts = {{"Device", "cpu, fp32: no GPU found"}};
  return report;
}

// run_log.jsonl is the log of a quickstart, resumed once.
RunLog committed_log() { return read_run_log(MRCNN_TEST_DATA "/tools/trainer/run_log.jsonl"); }

TEST_CASE("The page of a run has its curves, evaluations and settings") {
  const std::string page = run_page(report_of("runs/first"), committed_log());
  CHECK(markup_problem(page) == "");
  CHECK(address_problem(page) == "");
  CHECK(page.size() < 200000);
  CHECK(count_of(page, "<svg") == 5);
  for (const char* part :
       {"<h1>Training of maskrcnn_resnet50_fpn</h1>",
        "shapes &amp; &lt;more&gt;; finished at step 1125 of 1125; 2026-11-28 12:00 UTC",
        "<dt>Best mask AP</dt><dd>0.583</dd>", "<dt>Time</dt><dd>5m46s</dd>",
        "<figcaption>Parts of the loss</figcaption>", "rpn objectness",
        "Average precision; mask AP", "<title>step 1000\nloss: 0.7337</title>",
        "<th scope=\"row\">1125\u00a0*</th>", "COCO&#39;s twelve numbers at step 1125",
        ">0.915</td>", "<td class=\"words\">cpu, fp32: no GPU found</td>",
        "<th scope=\"row\">lr</th><td class=\"words\">0.0025</td>"}) {
    CAPTURE(part);
    CHECK(page.find(part) != page.npos);
  }
}

TEST_CASE("A run that was stopped before its first line has a page") {
  const std::string page = run_page(report_of("runs/first"), {});
  CHECK(markup_problem(page) == "");
  CHECK(page.find("The log has no numbers yet.") != page.npos);
  CHECK(page.find("This run was not evaluated.") != page.npos);
  CHECK(page.find("nan") == page.npos);
}

TEST_CASE("The page of a long run stays small") {
  RunLog log;
  for (int64_t step = 1; step <= 50000; ++step) {
    const double loss = 1 + 1.0 / static_cast<double>(step % 17 + 1);
    log.training.push_back({"train", step, 0, {{"loss", loss}, {"loss_rpn_box", loss / 3}}});
  }
  for (int64_t step = 1; step <= 999; ++step) {
    const double ap = step == 555 ? 0.9 : 0.3;
    log.evaluations.push_back({"eval", step * 50, 0, {{"mask_ap", ap}, {"box_ap", -1}}});
  }
  const std::string page = run_page(report_of("runs/first"), log);
  CHECK(markup_problem(page) == "");
  CHECK(page.size() < 200000);
  CHECK(page.find("<th scope=\"row\">27750\u00a0*</th>") != page.npos);
  CHECK(page.find("<th scope=\"row\">49950</th>") != page.npos);
  CHECK(page.find("61 of 999") != page.npos);
}

TEST_CASE("Page and drawing are written beside the log") {
  const test::TemporaryDirectory folder;
  std::filesystem::copy_file(MRCNN_TEST_DATA "/tools/trainer/run_log.jsonl", folder / "log.jsonl");
  write_run_report(report_of(folder.path()));
  CHECK(test::read_text(folder / "report.html").find("<svg") != std::string::npos);
  const std::string drawing = test::read_text(folder / "curves.svg");
  CHECK(markup_problem(drawing) == "");
  CHECK(count_of(drawing, "<svg") == 6);
  CHECK_THROWS_AS(write_run_report(report_of(folder / "none")), FileError);
}

}  // namespace
}  // namespace mrcnn
