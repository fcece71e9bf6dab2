#include "tools/trainer/training_line.h"

#include <doctest/doctest.h>

namespace mrcnn {
namespace {

struct Screen {
  std::string text;
  double now = 0;
  int columns = 200;

  ProgressScreen terminal(bool is_terminal) {
    return {.is_terminal = is_terminal,
            .ascii = true,
            .write = [this](std::string_view piece) { text += piece; },
            .columns = [this] { return columns; },
            .seconds = [this] { return now; }};
  }
  std::string take() { return std::exchange(text, ""); }
};

TrainingView view_of(int64_t step) {
  TrainingView view;
  view.step = step;
  view.num_steps = 100;
  view.epoch = 1.5;
  view.loss = 0.5;
  view.lr = 0.0025;
  return view;
}

TEST_CASE("Reads like a sentence, without what is not known yet") {
  TrainingView view = view_of(12);
  CHECK(format_training_line(view) == "step 12/100  epoch 1.50  loss 0.5000  lr 0.0025");
  view.parts = {{"cls", 0.31}, {"mask", 0.19}};
  view.images_per_s = 12.34;
  view.remaining_s = 3753;
  CHECK(format_training_line(view) ==
        "step 12/100  epoch 1.50  loss 0.5000 (cls 0.310 mask 0.190)  lr 0.0025  12.3 img/s  "
        "1:02:33 left");
}

TEST_CASE("Without a terminal there is a line at every log step and at the last") {
  Screen screen;
  TrainingLine line(ProgressMode::kAuto, screen.terminal(false), 40);
  for (int64_t step = 1; step <= 100; ++step) line.show(view_of(step));
  line.message("saved");
  line.finish();
  const std::string rest = "/100  epoch 1.50  loss 0.5000  lr 0.0025\n";
  CHECK(screen.text == "step 40" + rest + "step 80" + rest + "step 100" + rest + "saved\n");
}

TEST_CASE("On a terminal the line redraws itself, not too often, and fits") {
  Screen screen;
  {
    TrainingLine line(ProgressMode::kAuto, screen.terminal(true), 40);
    line.show(view_of(1));
    CHECK(screen.take() == "\r\x1b[Kstep 1/100  epoch 1.50  loss 0.5000  lr 0.0025");
    line.show(view_of(2));
    CHECK(screen.take().empty());
    screen.now = 0.2;
    screen.columns = 11;
    line.show(view_of(3));
    CHECK(screen.take() == "\r\x1b[Kstep 3/100");
    line.show(view_of(4));
    line.message("saved");
    CHECK(screen.take() == "\r\x1b[Ksaved\n\r\x1b[Kstep 4/100");
    line.show(view_of(100));
    CHECK(screen.take() == "\r\x1b[Kstep 100/1");
  }
  CHECK(screen.take() == "\r\x1b[Kstep 100/1\n");
}

TEST_CASE("Switched off it only passes messages on") {
  Screen screen;
  TrainingLine line(ProgressMode::kOff, screen.terminal(true), 1);
  line.show(view_of(100));
  line.message("saved");
  line.finish();
  CHECK(screen.text == "saved\n");
}

}  // namespace
}  // namespace mrcnn
