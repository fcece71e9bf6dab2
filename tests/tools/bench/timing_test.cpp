#include "tools/bench/timing.h"

#include <doctest/doctest.h>

#include <numeric>

using namespace mrcnn;

TEST_CASE("Median of an even count is the mean of the middle, p90 the nearest rank") {
  std::vector<double> samples(10);
  std::iota(samples.rbegin(), samples.rend(), 1.0);
  const TimingSummary summary = summarize_samples(samples);
  CHECK(summary.median_ms == 5.5);
  CHECK(summary.p90_ms == 9.0);
  CHECK(summary.min_ms == 1.0);
  CHECK(summarize_samples({3.0}).p90_ms == 3.0);
  CHECK(summarize_samples({}).median_ms == 0.0);
}

TEST_CASE("Stages keep their order and a stage that ends twice is summed") {
  StageClock clock;
  for (int repetition = 0; repetition < 2; ++repetition) {
    clock.begin_repetition();
    for (const char* stage : {"body", "head", "mask", "head", "mask"}) clock.stage_ended(stage);
    clock.end_repetition();
  }
  REQUIRE(clock.rows().size() == 4);
  CHECK(clock.rows()[0].stage == "body");
  CHECK(clock.rows()[2].stage == "mask");
  CHECK(clock.rows()[3].stage == "total");
  double stages = 0;
  for (size_t i = 0; i < 3; ++i) {
    REQUIRE(clock.rows()[i].samples_ms.size() == 2);
    stages += clock.rows()[i].samples_ms[0];
  }
  CHECK(stages <= clock.rows()[3].samples_ms[0]);
}
