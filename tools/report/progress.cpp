#include "tools/report/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "tools/clock.h"

namespace mrcnn {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kLineSeconds = 10;
constexpr int64_t kLinePercent = 5;
constexpr size_t kRecentSteps = 32;
constexpr int kDefaultColumns = 80;
constexpr std::string_view kClearLine = "\r\x1b[K";  // ECMA-48: erase to the end of the line

int terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultColumns;
  return size.ws_col;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The first of these that is set decides the character set (POSIX, 8.2).
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = environment(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

ProgressScreen stderr_screen() {
  const std::string term = environment("TERM");
  return {
      .is_terminal = isatty(STDERR_FILENO) == 1 && !term.empty() && term != "dumb",
      .ascii = !locale_is_utf8(),
      .write =
          [](std::string_view text) {
            std::fwrite(text.data(), 1, text.size(), stderr);
            std::fflush(stderr);
          },
      .columns = terminal_columns,
      .seconds = monotonic_seconds,
  };
}

Progress::Progress(std::string label, std::string unit, int64_t total, ProgressMode mode,
                   ProgressScreen screen)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      screen_(std::move(screen)),
      style_(mode == ProgressMode::kOff                         ? Style::kNone
             : mode == ProgressMode::kOn || screen_.is_terminal ? Style::kBar
                                                                : Style::kLines),
      start_s_(screen_.seconds()),
      last_step_s_(start_s_),
      last_shown_s_(start_s_) {
  if (style_ == Style::kBar) draw_bar();
}

Progress::~Progress() { clear_bar(); }

void Progress::advance(int64_t count) {
  if (count <= 0) return;
  const double now = screen_.seconds();
  // The first step warms caches up; it counts only until a second one exists.
  if (++num_steps_ == 2) recent_unit_s_.clear();
  recent_unit_s_.push_back((now - last_step_s_) / static_cast<double>(count));
  if (recent_unit_s_.size() > kRecentSteps) recent_unit_s_.pop_front();
  last_step_s_ = now;
  done_ += count;
  if (style_ == Style::kBar && (now - last_shown_s_ >= kRedrawSeconds || done_ >= total_)) {
    draw_bar();
  }
  if (style_ == Style::kLines) print_line_if_due();
}

void Progress::message(std::string_view line) {
  const bool redraw = bar_visible_;
  clear_bar();
  screen_.write(std::string(line) + "\n");
  if (redraw) draw_bar();
}

void Progress::finish() {
  clear_bar();
  style_ = Style::kNone;
}

ProgressView Progress::view() const {
  ProgressView view{.label = label_,
                    .unit = unit_,
                    .done = done_,
                    .total = total_,
                    .elapsed_s = screen_.seconds() - start_s_,
                    .remaining_s = std::nullopt};
  if (!recent_unit_s_.empty()) {
    view.remaining_s = median({recent_unit_s_.begin(), recent_unit_s_.end()}) *
                       static_cast<double>(std::max<int64_t>(total_ - done_, 0));
  }
  return view;
}

void Progress::draw_bar() {
  screen_.write(std::string(kClearLine) + format_bar(view(), screen_.columns(), screen_.ascii));
  bar_visible_ = true;
  last_shown_s_ = screen_.seconds();
}

void Progress::clear_bar() {
  if (bar_visible_) screen_.write(kClearLine);
  bar_visible_ = false;
}

// A line when 10 s or 5 % have passed since the last one, whichever comes later on short jobs:
// never more than 20 lines by percent, and none for a job that ends before the first is due.
void Progress::print_line_if_due() {
  const double now = screen_.seconds();
  const bool time_due = now - last_shown_s_ >= kLineSeconds;
  const bool percent_due = (done_ - last_shown_done_) * 100 >= kLinePercent * total_;
  const bool hurried = now - last_shown_s_ < 1;
  if (done_ >= total_ || !(time_due || percent_due) || hurried) return;
  screen_.write(format_progress_line(view()) + "\n");
  last_shown_s_ = now;
  last_shown_done_ = done_;
}

}  // namespace mrcnn
