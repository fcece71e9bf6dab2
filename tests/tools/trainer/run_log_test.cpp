#include "tools/trainer/run_log.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

TEST_CASE("A log is read as it was written") {
  const test::TemporaryDirectory folder;
  StepLog written(folder.path(), {"loss"}, -1);
  written.write({"train", 10, 0.5, {{"loss", 2}, {"images_per_s", std::nan("")}}});
  written.write({"eval", 10, 0.5, {{"mask_ap", 0.25}}});
  written.write({"train", 20, 1, {{"loss", 1.5}, {"images_per_s", 12}}});
  const RunLog log = read_run_log(folder / "log.jsonl");
  REQUIRE(log.training.size() == 2);
  REQUIRE(log.evaluations.size() == 1);
  CHECK(log.training[1].step == 20);
  CHECK(log.training[1].epoch == 1);
  CHECK(value_of(log.training[0], "loss") == 2);
  CHECK(std::isnan(value_of(log.training[0], "images_per_s")));
  CHECK(std::isnan(value_of(log.training[0], "no such value")));
  CHECK(value_of(log.evaluations[0], "mask_ap") == 0.25);
  CHECK(curve_of(log.training, "loss") == std::vector<CurvePoint>{{10, 2}, {20, 1.5}});
  CHECK(curve_of(log.training, "images_per_s") == std::vector<CurvePoint>{{20, 12}});
  CHECK(curve_of(log.training, "mask_ap").empty());
}

TEST_CASE("Lines that are no record are passed over") {
  const test::TemporaryDirectory folder;
  folder.write(
      "log.jsonl",
      "\n[1]\n{\"kind\":\"train\"}\n{\"kind\":7,\"step\":1}\n{\"kind\":\"note\",\"step\":1}\n"
      "{\"kind\":\"train\",\"step\":3,\"epoch\":null,\"text\":\"x\",\"loss\":4}\n"
      "{\"kind\":\"train\",\"step\":4,\"lo");
  const RunLog log = read_run_log(folder / "log.jsonl");
  CHECK(log.evaluations.empty());
  REQUIRE(log.training.size() == 1);
  CHECK(log.training[0].step == 3);
  CHECK(log.training[0].values.size() == 1);
  CHECK(read_run_log(folder / "none.jsonl").training.empty());
}

}  // namespace
}  // namespace mrcnn
