#include "tools/report/progress.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "tools/report/utf8.h"

using namespace mrcnn;

namespace {

// A screen and a clock under the test's control.
struct FakeScreen {
  std::string text;
  double now = 100;
  int columns = 80;

  ProgressScreen screen(bool is_terminal) {
    return {.is_terminal = is_terminal,
            .ascii = true,
            .write = [this](std::string_view part) { text += part; },
            .columns = [this] { return columns; },
            .seconds = [this] { return now; }};
  }
  std::string take() { return std::exchange(text, ""); }
};

const ProgressView kView{.label = "infer",
                         .unit = "images",
                         .done = 420,
                         .total = 1000,
                         .elapsed_s = 72,
                         .remaining_s = 99};

int64_t count(const std::string& text, const std::string& part) {
  int64_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("FormatsDurations") {
  CHECK(format_duration(0) == "00:00");
  CHECK(format_duration(7.4) == "00:07");
  CHECK(format_duration(72) == "01:12");
  CHECK(format_duration(3599.6) == "1:00:00");
  CHECK(format_duration(3753) == "1:02:33");
  CHECK(format_duration(1e12) == "99:59:59");
  CHECK(format_duration(-1) == "00:00");
}

TEST_CASE("FormatsABarThatFitsTheTerminal") {
  CHECK(format_bar(kView, 80, true) ==
        "infer  42% |###########                 | 420/1000 images [01:12<01:39, 5.83/s]");
  CHECK(format_bar(kView, 59, true) == "infer  42% 420/1000 images [01:12<01:39, 5.83/s]");
  CHECK(format_bar(kView, 20, true) == "infer  42% 420/1000");
  for (int columns = 1; columns < 200; ++columns) {
    for (const bool ascii : {true, false}) {
      CHECK(count_code_points(format_bar(kView, columns, ascii)) <= std::max(columns - 1, 1));
    }
  }
}

TEST_CASE("TheBarFillsByEighthsOfACell") {
  ProgressView view = kView;
  view.done = 0;
  CHECK(format_bar(view, 80, false).find("|                    ") != std::string::npos);
  CHECK(format_bar(view, 80, false).find("[01:12<01:39, ?/s]") != std::string::npos);
  view.done = view.total;
  CHECK(format_bar(view, 80, false).find("\u2588| 1000/1000") != std::string::npos);
  view.done = 10;  // 1 % of some 28 cells: a quarter of one
  CHECK(format_bar(view, 80, false).find("|\u258e ") != std::string::npos);
  view.total = 0;
  CHECK(format_bar(view, 80, false).find("infer   0%") == 0);
}

TEST_CASE("FormatsALine") {
  CHECK(format_progress_line(kView) == "infer: 420/1000 images (42%), 01:12 elapsed, 01:39 left");
}

TEST_CASE("RedrawsAtMostTenTimesASecond") {
  FakeScreen fake;
  Progress progress("infer", "images", 1000, ProgressMode::kAuto, fake.screen(true));
  CHECK(count(fake.take(), "\r") == 1);
  for (int i = 0; i < 500; ++i) {  // one second
    fake.now += 0.002;
    progress.advance(1);
  }
  CHECK(count(fake.take(), "\r") <= 10);
}

TEST_CASE("TheBarEndsAtAHundredPercentAndIsCleared") {
  FakeScreen fake;
  Progress progress("infer", "images", 2, ProgressMode::kAuto, fake.screen(true));
  progress.advance(1);
  progress.advance(1);
  CHECK(fake.take().find("infer 100%") != std::string::npos);
  progress.finish();
  CHECK(fake.take() == "\r\x1b[K");
  progress.message("after");
  CHECK(fake.take() == "after\n");
}

TEST_CASE("AMessageStandsAboveTheBar") {
  FakeScreen fake;
  Progress progress("infer", "images", 2, ProgressMode::kAuto, fake.screen(true));
  fake.take();
  progress.message("skipped: a.jpg");
  const std::string text = fake.take();
  CHECK(text.find("\r\x1b[Kskipped: a.jpg\n\r\x1b[Kinfer   0%") == 0);
}

TEST_CASE("TheEstimateIsTheMedianOfRecentStepsWithoutTheFirst") {
  FakeScreen fake;
  fake.columns = 200;
  Progress progress("infer", "images", 10, ProgressMode::kAuto, fake.screen(true));
  fake.now += 50;  // the first image warms up
  progress.advance(1);
  CHECK(fake.take().find("<07:30") != std::string::npos);
  for (const double seconds : {1.0, 1.0, 30.0}) {
    fake.now += seconds;
    progress.advance(1);
  }
  CHECK(fake.take().rfind("<00:06") != std::string::npos);
}

TEST_CASE("PlainLinesComeEveryTenSecondsOrFivePercent") {
  FakeScreen fake;
  Progress progress("infer", "images", 100, ProgressMode::kAuto, fake.screen(false));
  CHECK(fake.text.empty());
  for (int i = 0; i < 100; ++i) {
    fake.now += 1;
    progress.advance(1);
  }
  const std::string text = fake.take();
  CHECK(count(text, "\n") == 19);  // 5 %, 10 %, ... 95 %; the summary says the rest
  CHECK(text.find("infer: 5/100 images (5%), 00:05 elapsed, 01:35 left\n") == 0);
  CHECK(text.find('\r') == std::string::npos);

  Progress slow("infer", "images", 1000, ProgressMode::kAuto, fake.screen(false));
  for (int i = 0; i < 9; ++i) {
    fake.now += 4;
    slow.advance(1);
  }
  CHECK(count(fake.take(), "\n") == 3);  // after 12, 24 and 36 s
}

TEST_CASE("AQuickJobPrintsNoLines") {
  FakeScreen fake;
  Progress progress("infer", "images", 3, ProgressMode::kAuto, fake.screen(false));
  for (int i = 0; i < 3; ++i) {
    fake.now += 0.2;
    progress.advance(1);
  }
  CHECK(fake.text.empty());
}

TEST_CASE("ModesOverrideTheTerminal") {
  FakeScreen fake;
  {
    Progress off("infer", "images", 3, ProgressMode::kOff, fake.screen(true));
    off.advance(1);
    off.message("warning");
  }
  CHECK(fake.take() == "warning\n");
  Progress on("infer", "images", 3, ProgressMode::kOn, fake.screen(false));
  CHECK(fake.take().find('\r') == 0);
}
