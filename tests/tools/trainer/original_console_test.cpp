#include "tools/trainer/original_console.h"

#include <doctest/doctest.h>

namespace mrcnn {
namespace {

struct Printed {
  std::string text;
  OriginalConsole console{[this](std::string_view piece) { text += piece; }, 100};
};

TEST_CASE("Prints what the original system prints") {
  Printed printed;
  const OriginalConsole& console = printed.console;
  console.device({});
  console.begin(2, 8);
  console.begin_epoch(2, 0.00125, 1);
  console.losses({.step = 200, .parts = {0.6931, 0.05, 1.25, 0, 2}});
  console.losses({.step = 201, .parts = {9, 9, 9, 9, 9}});
  console.times({.iter_ms = 101.26, .total_ms = 100.04, .model_ms = 60, .backward_ms = 30.5});
  console.end_epoch(12.34, 5.67, {{"box_ap", 0.3124}, {"mask_ap", 1}});
  console.end(20, 3);
  CHECK(printed.text ==
        "\ndevice: cpu\n"
        "\nalready trained: 2 epochs; to 8 epochs\n"
        "\nepoch: 2\nlr_epoch: 0.00125, factor: 1.00000\n"
        "200\t 0.693\t0.050\t1.250\t0.000\t2.000\n"
        "iter: 101.3, total: 100.0, model: 60.0, backward: 30.5\n"
        "training: 12.3 s, evaluation: 5.7 s\n"
        "{'bbox AP': 31.2, 'mask AP': 100.0}\n"
        "\ntotal time of this training: 20.0 s\nalready trained: 3 epochs\n\n");
}

TEST_CASE("Without an evaluation there is no line of its results") {
  Printed printed;
  printed.console.end_epoch(1, 0, {});
  CHECK(printed.text == "training: 1.0 s, evaluation: 0.0 s\n");
}

TEST_CASE("The first of every log_every steps has a line") {
  const Printed printed;
  CHECK(printed.console.is_due(0));
  CHECK_FALSE(printed.console.is_due(99));
  CHECK(printed.console.is_due(100));
}

}  // namespace
}  // namespace mrcnn
