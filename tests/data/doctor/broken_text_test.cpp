// Texts that are not whole JSON: what can be read is checked, and where it breaks is told.
#include <doctest/doctest.h>

#include "core/error.h"
#include "data/doctor/cleaned_copy.h"
#include "data/doctor/doctor.h"
#include "tests/data/doctor/planted_set.h"

namespace mrcnn {
namespace {

using enum FindingKind;

DoctorReport check_text(const std::string& text) {
  const test::TemporaryDirectory folder;
  return diagnose(folder.write("a.json", text)).report;
}

bool has(const DoctorReport& report, FindingKind kind, const std::string& problem) {
  for (const Finding& one : report.findings) {
    if (one.kind == kind && one.problem.find(problem) != std::string::npos) return true;
  }
  return false;
}

TEST_CASE("Files that are no annotations at all") {
  CHECK(has(check_text(""), kInvalidJson, "is empty"));
  CHECK(has(check_text("[]"), kInvalidJson, "byte 0"));
  CHECK(has(check_text("null"), kInvalidJson, "byte 0"));
  CHECK(has(check_text("\xEF\xBB\xBF{}"), kInvalidJson, "byte order mark"));
  const DoctorReport none = check_text("{}");
  CHECK_FALSE(none.readable);
  CHECK(none.findings.size() == 3);
  CHECK(has(none, kMissingSection, "\"categories\""));
  const DoctorReport wrong =
      check_text(R"({"images": {}, "annotations": [], "categories": [], "categories": []})");
  CHECK(has(wrong, kWrongType, "is not a list"));
  CHECK(has(wrong, kDuplicateKey, "appears twice"));
  CHECK_FALSE(wrong.readable);
  CHECK(has(check_text("{\"images\": " + std::string(100, '[')), kInvalidJson, "levels deep"));
}

// Wherever the text ends, there is one finding of it, and no annotation is said to refer to images
// that were never read.
TEST_CASE("A truncated file") {
  const test::TemporaryDirectory folder;
  const std::string text = test::good_set(folder).text();
  for (size_t size = 0; size + 2 < text.size(); size += 97) {
    CAPTURE(size);
    const DoctorReport report = check_text(text.substr(0, size));
    CHECK_FALSE(report.readable);
    CHECK(report.count(Severity::kError) == 1);
    CHECK(report.count(Severity::kWarning) == 0);
    CHECK(has(report, kInvalidJson, ""));
  }
  const std::string cut = folder.write("cut.json", text.substr(0, 500));
  CHECK_THROWS_WITH_AS(write_cleaned(cut, diagnose(cut), folder / "out.json"),
                       doctest::Contains("is not whole"), FileError);
}

TEST_CASE("Broken elements do not hide the others") {
  const std::string head = R"({"categories": [{"id": 1, "name": "a"}], "images": [)"
                           R"({"id": 1, "file_name": "a", "height": 9, "width": 9}], )";
  const DoctorReport report = check_text(
      head + R"("annotations": [7, {"id": 1 2}, {"id": nul}  {"id": 3}, , {"id": "x"}, ]})");
  CHECK(report.readable);
  CHECK(report.num_annotations == 4);
  CHECK(has(report, kInvalidJson, "'7' stands where an object belongs"));
  CHECK(has(report, kInvalidJson, "a comma is missing"));
  CHECK(has(report, kInvalidJson, "a comma too many"));
  CHECK(has(report, kBadId, "\"x\""));
}

TEST_CASE("A section of others that is broken is left out of the copy") {
  const test::TemporaryDirectory folder;
  test::PlantedSet set = test::good_set(folder);
  std::string text = set.text();
  text.replace(text.find("{\"year\": 2017}"), 14, "{\"year\": NaN  }");
  const std::string path = folder.write("a.json", text);
  const Diagnosis diagnosis = diagnose(path);
  CHECK(has(diagnosis.report, kInvalidJson, ""));
  write_cleaned(path, diagnosis, folder / "b.json");
  const DoctorReport clean = diagnose(folder / "b.json").report;
  CHECK(clean.findings.empty());
  CHECK(clean.num_annotations == 60);
  CHECK_THROWS_AS(write_cleaned(path, diagnosis, path), UsageError);
}

TEST_CASE("A set of boxes is no fault") {
  const test::TemporaryDirectory folder;
  test::PlantedSet set = test::good_set(folder);
  for (test::PlantedElement& one : set.annotations) one.erase("segmentation");
  const std::string path = folder.write("a.json", set.text());
  const Diagnosis diagnosis = diagnose(path);
  REQUIRE(diagnosis.report.findings.size() == 1);
  CHECK(diagnosis.report.findings[0].kind == kNoMasks);
  CHECK(write_cleaned(path, diagnosis, folder / "b.json").annotations_kept == 60);
}

TEST_CASE("What cannot be opened is an error of its own") {
  const test::TemporaryDirectory folder;
  CHECK_THROWS_AS(diagnose(folder / "nothing.json"), FileError);
  CHECK_THROWS_AS(diagnose(folder.path()), FileError);
}

}  // namespace
}  // namespace mrcnn
