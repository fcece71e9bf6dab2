#include "tools/report/html/axis.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

namespace mrcnn {
namespace {

std::string labels(const Axis& axis) {
  std::string text;
  for (const double tick : axis.ticks)
    text += (text.empty() ? "" : " ") + tick_label(tick, axis.step);
  return text;
}

TEST_CASE("Ticks are round numbers") {
  CHECK(labels(make_axis(0, 1, 6, AxisEnds::kRound)) == "0 0.2 0.4 0.6 0.8 1.0");
  CHECK(labels(make_axis(0, 2.67, 7, AxisEnds::kRound)) == "0 0.5 1.0 1.5 2.0 2.5 3.0");
  CHECK(labels(make_axis(0, 850, 6, AxisEnds::kExact)) == "0 200 400 600 800");
  CHECK(labels(make_axis(0, 90000, 6, AxisEnds::kExact)) == "0 20k 40k 60k 80k");
  CHECK(labels(make_axis(0, 2.4e6, 6, AxisEnds::kExact)) == "0 500k 1.0M 1.5M 2.0M");
  CHECK(labels(make_axis(0, 0.03, 7, AxisEnds::kRound)) == "0 0.005 0.010 0.015 0.020 0.025 0.030");
  CHECK(labels(make_axis(0, 3e-5, 4, AxisEnds::kRound)) == "0 1e-05 2e-05 3e-05");
  CHECK(labels(make_axis(-3, 4, 5, AxisEnds::kRound)) == "-4 -2 0 2 4");
}

TEST_CASE("An axis covers its data with no more ticks than asked for") {
  for (const double low : {0.0, -0.3, 1.7, 1e-7, 5000.0}) {
    for (const double span : {1e-6, 0.013, 0.5, 1.0, 7.3, 99.0, 12345.6}) {
      for (const int most : {3, 4, 6, 7}) {
        CAPTURE(low);
        CAPTURE(span);
        CAPTURE(most);
        const Axis axis = make_axis(low, low + span, most, AxisEnds::kRound);
        CHECK(axis.low <= low + 1e-9 * span);
        CHECK(axis.high >= low + span * (1 - 1e-9));
        CHECK(axis.ticks.size() >= 2);
        CHECK(axis.ticks.size() <= static_cast<size_t>(most));
        const Axis exact = make_axis(low, low + span, most, AxisEnds::kExact);
        CHECK(exact.low == low);
        CHECK(exact.high == low + span);
        CHECK(exact.ticks.size() <= static_cast<size_t>(most));
      }
    }
  }
}

TEST_CASE("A single value has an axis too") {
  for (const double value : {0.0, 1.0, -2.5, 1e9}) {
    CAPTURE(value);
    const Axis axis = make_axis(value, value, 5, AxisEnds::kRound);
    CHECK(axis.high > axis.low);
    CHECK(axis.fraction(value) >= 0);
    CHECK(axis.fraction(value) <= 1);
  }
}

TEST_CASE("Numbers for people") {
  CHECK(short_number(1.23456) == "1.235");
  CHECK(short_number(0.0000123456) == "1.235e-05");
  CHECK(short_number(std::nan("")) == "-");
}

}  // namespace
}  // namespace mrcnn
