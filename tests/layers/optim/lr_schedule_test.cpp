#include "layers/optim/lr_schedule.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace mrcnn {
namespace {

// doctest's Approx is relative to 1 + value; rates are small.
bool is_close(double actual, double expected) {
  return std::abs(actual - expected) <= 1e-14 * std::abs(expected);
}

TEST_CASE("Rejects schedules that mean nothing") {
  const auto rejects = [](const LrSchedule& schedule, const char* problem) {
    CHECK_THROWS_WITH_AS(check_lr_schedule(schedule), doctest::Contains(problem), UsageError);
    CHECK_THROWS_AS(lr_factor(schedule, 0), UsageError);
  };
  rejects({.warmup_steps = -1}, "warm-up of -1 steps");
  rejects({.warmup_steps = 5, .warmup_start = 1.5}, "1.5, which is not in 0..1");
  rejects({.warmup_steps = 5, .warmup_start = std::nan("")}, "not in 0..1");
  rejects({.decay = LrDecay::kMultiStep, .milestones = {9, 4}}, "must ascend");
  rejects({.decay = LrDecay::kMultiStep, .gamma = -0.1}, "gamma");
  rejects({.warmup_steps = 9, .decay = LrDecay::kCosine, .total_steps = 9}, "leave none after 9");
  rejects({.decay = LrDecay::kCosine,
           .total_steps = 9,
           .final_factor = std::numeric_limits<double>::infinity()},
          "final factor");
  CHECK_THROWS_WITH_AS(lr_factor({}, -3), doctest::Contains("step -3"), UsageError);
  CHECK_THROWS_AS(original_lr_schedule(0, {}), UsageError);
}

TEST_CASE("Warm-up is a straight line to 1, then constant") {
  const LrSchedule schedule{.warmup_steps = 4, .warmup_start = 0.2};
  for (const auto& [step, factor] :
       {std::pair{0, 0.2}, {1, 0.4}, {2, 0.6}, {3, 0.8}, {4, 1.0}, {5, 1.0}, {100000, 1.0}}) {
    CHECK(is_close(lr_factor(schedule, step), factor));
  }
  CHECK(lr_factor({}, 0) == 1);
}

TEST_CASE("A milestone counts from its own step on, twice if it is listed twice") {
  const LrSchedule schedule{.decay = LrDecay::kMultiStep, .milestones = {10, 20, 20}, .gamma = 0.5};
  CHECK(lr_factor(schedule, 9) == 1);
  CHECK(lr_factor(schedule, 10) == 0.5);
  CHECK(lr_factor(schedule, 19) == 0.5);
  CHECK(lr_factor(schedule, 20) == 0.125);
}

TEST_CASE("Cosine begins after the warm-up and stays at its end") {
  const LrSchedule schedule{
      .warmup_steps = 10, .decay = LrDecay::kCosine, .total_steps = 110, .final_factor = 0.1};
  CHECK(is_close(lr_factor(schedule, 5), 0.5));
  CHECK(lr_factor(schedule, 10) == 1);
  CHECK(is_close(lr_factor(schedule, 35), 0.1 + 0.45 * (1 + std::sqrt(0.5))));
  CHECK(is_close(lr_factor(schedule, 60), 0.55));
  CHECK(is_close(lr_factor(schedule, 110), 0.1));
  CHECK(is_close(lr_factor(schedule, 5000), 0.1));
}

// The rates that the original system was seen to use, base rate 0.00125.
TEST_CASE("Matches the original's trace") {
  const double base = 0.00125;
  const std::array<int64_t, 2> drops{6, 7};
  const LrSchedule small = original_lr_schedule(80, drops);
  CHECK(base * lr_factor(small, 0) == 0.0);
  CHECK(is_close(base * lr_factor(small, 1), 1.25e-6));
  CHECK(is_close(base * lr_factor(small, 80), 1.0e-4));

  const int64_t images = 117266;
  const LrSchedule coco = original_lr_schedule(images, drops);
  CHECK(lr_factor(coco, 0) == 0.0);
  CHECK(is_close(lr_factor(coco, images - 1),
                 static_cast<double>(images - 1) / static_cast<double>(images)));
  CHECK(base * lr_factor(coco, images) == base);
  CHECK(is_close(base * lr_factor(coco, 5 * images), 0.00125));
  CHECK(is_close(base * lr_factor(coco, 6 * images - 1), 0.00125));
  CHECK(is_close(base * lr_factor(coco, 6 * images), 0.000125));
  CHECK(is_close(base * lr_factor(coco, 7 * images), 0.0000125));
  // With --iters 200 the first epoch ends at 0.17 % of the base rate.
  CHECK(lr_factor(coco, 199) < 0.0017);
}

TEST_CASE("On a data set of 80 images a drop comes before the warm-up ends") {
  const std::array<int64_t, 2> drops{6, 7};
  const LrSchedule schedule = original_lr_schedule(80, drops);
  CHECK(is_close(lr_factor(schedule, 479), 0.479));
  CHECK(is_close(lr_factor(schedule, 480), 0.048));
  CHECK(is_close(lr_factor(schedule, 560), 0.0056));
  CHECK(is_close(lr_factor(schedule, 1000), 0.01));
}

// torch.optim.lr_scheduler.LinearLR(start_factor=1/1000, total_iters=min(1000, len - 1)) and
// MultiStepLR([16, 22], 0.1).
TEST_CASE("Matches torchvision's recipe") {
  const std::array<int64_t, 2> drops{16, 22};
  const LrSchedule schedule = torchvision_lr_schedule(7330, drops);
  CHECK(is_close(lr_factor(schedule, 0), 0.001));
  CHECK(is_close(lr_factor(schedule, 500), 0.5005));
  CHECK(lr_factor(schedule, 1000) == 1);
  CHECK(lr_factor(schedule, 16 * 7330 - 1) == 1);
  CHECK(is_close(lr_factor(schedule, 16 * 7330), 0.1));
  CHECK(is_close(lr_factor(schedule, 22 * 7330), 0.01));
  const LrSchedule small = torchvision_lr_schedule(11, drops);
  CHECK(is_close(lr_factor(small, 5), 0.001 + 0.999 * 0.5));
  CHECK(lr_factor(small, 10) == 1);
  CHECK(lr_factor(torchvision_lr_schedule(1, drops), 0) == 1);
}

}  // namespace
}  // namespace mrcnn
