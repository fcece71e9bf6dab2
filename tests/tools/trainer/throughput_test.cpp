#include "tools/trainer/throughput.h"

#include <doctest/doctest.h>

namespace mrcnn {
namespace {

TEST_CASE("Knows nothing before the first step") {
  const Throughput throughput(5);
  CHECK_FALSE(throughput.images_per_s());
  CHECK_FALSE(throughput.seconds_per_step());
  CHECK_FALSE(throughput.remaining_s(10));
}

TEST_CASE("The first step counts only while it is alone") {
  Throughput throughput(0);
  throughput.step(4, 8);
  CHECK(*throughput.images_per_s() == doctest::Approx(0.5));
  throughput.step(4, 10);
  CHECK(*throughput.images_per_s() == doctest::Approx(2));
  CHECK(*throughput.seconds_per_step() == doctest::Approx(2));
  CHECK(*throughput.remaining_s(30) == doctest::Approx(60));
  CHECK(*throughput.remaining_s(-1) == 0);
}

TEST_CASE("Pauses do not count") {
  Throughput throughput(0);
  throughput.step(1, 1);
  throughput.step(1, 2);
  throughput.pause(2.5);
  throughput.pause(50);
  throughput.resume(100);
  throughput.resume(200);
  throughput.step(1, 100.5);
  CHECK(*throughput.seconds_per_step() == doctest::Approx(1));
}

TEST_CASE("Follows a change of speed") {
  Throughput throughput(0);
  double now = 0;
  for (int i = 0; i < 500; ++i) throughput.step(2, now += 1);
  for (int i = 0; i < 100; ++i) throughput.step(2, now += 4);
  CHECK(*throughput.images_per_s() == doctest::Approx(0.5));
}

}  // namespace
}  // namespace mrcnn
