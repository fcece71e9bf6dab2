// Where a training stands, for people: one line that redraws itself on a terminal, a line now and
// then elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/report/progress.h"

namespace mrcnn {

struct TrainingView {
  int64_t step = 0;
  int64_t num_steps = 0;
  double epoch = 0;  // passes over the data, with a fraction
  double loss = 0;
  std::vector<std::pair<std::string, double>> parts;  // of the loss: "cls", 0.31
  double lr = 0;
  std::optional<double> images_per_s;
  std::optional<double> remaining_s;
};

// "step 1200/90000  epoch 1.32  loss 0.8123 (cls 0.310 box 0.220)  lr 0.0025  12.3 img/s  1:02:33
// left"
std::string format_training_line(const TrainingView& view);

class TrainingLine {
 public:
  // kAuto: redrawn in place on a terminal, lines elsewhere; kOn: in place anywhere; kOff: nothing.
  TrainingLine(ProgressMode mode, ProgressScreen screen, int64_t log_every);
  ~TrainingLine();
  TrainingLine(const TrainingLine&) = delete;
  TrainingLine& operator=(const TrainingLine&) = delete;

  // Of any step; what is due is shown: in place at most ten times a second, lines at multiples of
  // log_every and at the last step.
  void show(const TrainingView& view);
  // A line of text of its own, in every mode.
  void message(std::string_view line);
  // Leaves the last state standing.
  void finish();

 private:
  void draw();

  const ProgressScreen screen_;
  const int64_t log_every_;
  enum class Style { kInPlace, kLines, kNone } style_;
  std::string latest_;
  double last_drawn_s_ = 0;
  bool visible_ = false;
};

}  // namespace mrcnn
