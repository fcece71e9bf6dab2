#include "tools/trainer/training_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/report/utf8.h"

namespace mrcnn {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr std::string_view kClearLine = "\r\x1b[K";  // ECMA-48: erase to the end of the line

}  // namespace

std::string format_training_line(const TrainingView& view) {
  std::string text = fmt::format("step {}/{}  epoch {:.2f}  loss {:.4f}", view.step, view.num_steps,
                                 view.epoch, view.loss);
  for (size_t i = 0; i < view.parts.size(); ++i) {
    text +=
        fmt::format("{}{} {:.3f}", i == 0 ? " (" : " ", view.parts[i].first, view.parts[i].second);
  }
  if (!view.parts.empty()) text += ')';
  text += fmt::format("  lr {:.3g}", view.lr);
  if (view.images_per_s) text += fmt::format("  {:.3g} img/s", *view.images_per_s);
  if (view.remaining_s) text += fmt::format("  {} left", format_duration(*view.remaining_s));
  return text;
}

TrainingLine::TrainingLine(ProgressMode mode, ProgressScreen screen, int64_t log_every)
    : screen_(std::move(screen)),
      log_every_(log_every),
      style_(mode == ProgressMode::kOff                         ? Style::kNone
             : mode == ProgressMode::kOn || screen_.is_terminal ? Style::kInPlace
                                                                : Style::kLines) {}

TrainingLine::~TrainingLine() { finish(); }

void TrainingLine::show(const TrainingView& view) {
  if (style_ == Style::kNone) return;
  const bool last = view.step >= view.num_steps;
  if (style_ == Style::kLines) {
    if (last || view.step % log_every_ == 0) screen_.write(format_training_line(view) + "\n");
    return;
  }
  latest_ = format_training_line(view);
  if (last || !visible_ || screen_.seconds() - last_drawn_s_ >= kRedrawSeconds) draw();
}

void TrainingLine::draw() {
  // One column stays free: writing the last one makes some terminals wrap.
  const int room = std::max(screen_.columns() - 1, 1);
  screen_.write(std::string(kClearLine) + std::string(take_code_points(latest_, room)));
  visible_ = true;
  last_drawn_s_ = screen_.seconds();
}

void TrainingLine::message(std::string_view line) {
  const bool redraw = visible_;
  if (visible_) screen_.write(kClearLine);
  screen_.write(std::string(line) + "\n");
  if (redraw) draw();
}

void TrainingLine::finish() {
  if (!visible_) return;
  draw();
  screen_.write("\n");
  visible_ = false;
}

}  // namespace mrcnn
