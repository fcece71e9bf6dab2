#include "tools/trainer/metric_history.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/error.h"

namespace mrcnn {
namespace {

TEST_CASE("Rejects steps that do not ascend, names that cannot be written, text that is damaged") {
  MetricHistory history;
  history.add(10, {});
  CHECK_THROWS_AS(history.add(10, {}), Error);
  CHECK_THROWS_AS(history.add(20, {{"mask ap", 1}}), Error);
  for (const char* text : {"x\n", "10 a\n", "10 a=\n", "10 a=1x\n", "10\n10\n", "10 =1\n", "\n"}) {
    INFO(text);
    CHECK_THROWS_WITH_AS(MetricHistory::parse(text), doctest::Contains("metric history"), Error);
  }
}

TEST_CASE("The best is the first of the largest, and of losses the smallest") {
  MetricHistory history;
  CHECK_FALSE(history.best("ap"));
  history.add(10, {{"ap", 0.1}, {"loss_val", 3}});
  history.add(20, {{"ap", 0.3}, {"loss_val", 1}});
  history.add(30, {{"ap", 0.3}, {"loss_val", 2}});
  history.add(40, {{"other", 1}});
  history.add(50, {{"ap", std::nan("")}});
  CHECK(history.best("ap")->step == 20);
  CHECK(history.best("ap")->value == 0.3);
  CHECK(history.best("ap")->evaluations_since == 2);  // 30 and 50
  CHECK(history.best("loss_val")->step == 20);
  CHECK_FALSE(history.best("none"));
}

TEST_CASE("Patience ends with as many evaluations as it has") {
  MetricHistory history;
  history.add(1, {{"ap", std::nan("")}});
  CHECK_FALSE(history.should_stop("ap", 1));  // nothing to compare with
  history.add(2, {{"ap", 0.5}});
  history.add(3, {{"ap", 0.4}});
  CHECK_FALSE(history.should_stop("ap", 2));
  history.add(4, {{"ap", 0.5}});
  CHECK(history.should_stop("ap", 2));
  CHECK_FALSE(history.should_stop("ap", 0));
  history.add(5, {{"ap", 0.6}});
  CHECK_FALSE(history.should_stop("ap", 1));
}

TEST_CASE("What is written reads back exactly") {
  MetricHistory history;
  history.add(0, {});
  history.add(10, {{"box_ap", 0.1 + 0.2}, {"mask_ap", -0.0}});
  history.add(20, {{"box_ap", std::numeric_limits<double>::infinity()}});
  CHECK(history.text() == "0\n10 box_ap=0.30000000000000004 mask_ap=-0\n20 box_ap=inf\n");
  CHECK(MetricHistory::parse(history.text()).entries() == history.entries());
  CHECK(MetricHistory::parse("").entries().empty());
}

}  // namespace
}  // namespace mrcnn
