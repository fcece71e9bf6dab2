#include "tools/trainer/schedule.h"

#include <doctest/doctest.h>

#include "core/error.h"

namespace mrcnn {
namespace {

TrainConfig config_of(int64_t epochs, int64_t accumulate) {
  TrainConfig config;
  config.epochs = epochs;
  config.accumulate = accumulate;
  config.milestones = {1, 2};
  config.warmup_steps = 0;
  return config;
}

TEST_CASE("Epochs become steps") {
  const TrainConfig config = config_of(3, 1);
  const RunLength length = run_length(config, 10);
  CHECK(length.steps_per_epoch == 10);
  CHECK(length.total_steps == 30);
  const LrSchedule schedule = schedule_of(config, length);
  CHECK(schedule.milestones == std::vector<int64_t>{10, 20});
  CHECK(lr_factor(schedule, 9) == 1);
  CHECK(lr_factor(schedule, 10) == doctest::Approx(0.1));
  CHECK(lr_factor(schedule, 29) == doctest::Approx(0.01));
}

TEST_CASE("Accumulation that does not divide an epoch uses every batch") {
  const TrainConfig config = config_of(3, 4);
  const RunLength length = run_length(config, 10);
  CHECK(length.steps_per_epoch == 2.5);
  CHECK(length.total_steps == 8);  // 30 batches, the last step goes on into the next epoch
  CHECK(schedule_of(config, length).milestones == std::vector<int64_t>{3, 5});
}

TEST_CASE("A number of steps replaces the epochs") {
  TrainConfig config = config_of(3, 2);
  config.steps = 7;
  const RunLength length = run_length(config, 10);
  CHECK(length.total_steps == 7);
  CHECK(length.steps_per_epoch == 5);
}

TEST_CASE("The longer warm-up holds") {
  TrainConfig config = config_of(3, 1);
  config.warmup_steps = 4;
  config.warmup_factor = 0.5;
  LrSchedule schedule = schedule_of(config, run_length(config, 10));
  CHECK(schedule.warmup_steps == 4);
  CHECK(lr_factor(schedule, 0) == 0.5);
  CHECK(lr_factor(schedule, 2) == 0.75);
  CHECK(lr_factor(schedule, 4) == 1);
  config.warmup_epochs = 0.8;
  schedule = schedule_of(config, run_length(config, 10));
  CHECK(schedule.warmup_steps == 8);
}

TEST_CASE("A cosine ends at its last factor and needs steps after the warm-up") {
  TrainConfig config = config_of(2, 1);
  config.schedule = LrDecay::kCosine;
  config.final_lr_factor = 0.2;
  const LrSchedule schedule = schedule_of(config, run_length(config, 10));
  CHECK(schedule.milestones.empty());
  CHECK(lr_factor(schedule, 10) == doctest::Approx(0.6));
  CHECK(lr_factor(schedule, 20) == doctest::Approx(0.2));
  config.warmup_steps = 20;
  CHECK_THROWS_AS(schedule_of(config, run_length(config, 10)), UsageError);
}

}  // namespace
}  // namespace mrcnn
