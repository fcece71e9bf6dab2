// How far a long job is: one bar that redraws itself on a terminal, plain lines elsewhere.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mrcnn {

enum class ProgressMode { kAuto, kOn, kOff };

struct ProgressView {
  std::string label;  // "infer"
  std::string unit;   // "images"
  int64_t done = 0;
  int64_t total = 0;
  double elapsed_s = 0;
  std::optional<double> remaining_s;  // unknown until a step was timed
};

std::string format_duration(double seconds);  // "00:07", "01:12", "1:02:33"

// "infer  42% |████▏     | 420/1000 images [01:12<01:39, 5.8/s]" in fewer than `columns` columns;
// the bar goes first when there is no room, then the text is cut. `ascii`: '#' instead of blocks.
std::string format_bar(const ProgressView& view, int columns, bool ascii);

// "infer: 420/1000 images (42%), 01:12 elapsed, 01:39 left"
std::string format_progress_line(const ProgressView& view);

// Where progress goes. Tests replace the clock and the screen.
struct ProgressScreen {
  bool is_terminal = false;  // can redraw a line
  bool ascii = true;
  std::function<void(std::string_view)> write;
  std::function<int()> columns;
  std::function<double()> seconds;  // monotonic
};

// stderr. Not a terminal for this purpose when TERM is "dumb" or unset.
ProgressScreen stderr_screen();

class Progress {
 public:
  // kAuto: a bar on a terminal, lines elsewhere; kOn: a bar anywhere; kOff: nothing.
  Progress(std::string label, std::string unit, int64_t total, ProgressMode mode,
           ProgressScreen screen);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(int64_t count);
  // Prints one line of text without disturbing the bar; works in every mode.
  void message(std::string_view line);
  // Removes the bar. Later calls only print messages.
  void finish();

 private:
  ProgressView view() const;
  void draw_bar();
  void clear_bar();
  void print_line_if_due();

  const std::string label_;
  const std::string unit_;
  const int64_t total_;
  const ProgressScreen screen_;
  enum class Style { kBar, kLines, kNone } style_;
  double start_s_ = 0;
  double last_step_s_ = 0;
  double last_shown_s_ = 0;
  int64_t last_shown_done_ = 0;
  int64_t done_ = 0;
  int64_t num_steps_ = 0;
  std::deque<double> recent_unit_s_;  // seconds per unit of the latest steps
  bool bar_visible_ = false;
};

}  // namespace mrcnn
