#include "tools/bench/train_bench.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <cmath>

#include "core/error.h"
#include "data/masks/rle.h"
#include "tests/support/temporary_directory.h"
#include "tools/bench/report.h"

namespace mrcnn {
namespace {

TEST_CASE("Objects fill their boxes, lie in the image and differ between images") {
  const TrainBenchOptions options{.height = 60, .width = 90, .objects = 20};
  const TrainingImage image = noise_training_image(options, 1, 5);
  REQUIRE(image.masks.size() == 20);
  CHECK(image.pixels.shape() == Shape{60, 90, 3});
  for (int64_t g = 0; g < options.objects; ++g) {
    CAPTURE(g);
    const float* box = image.boxes.data<const float>() + g * 4;
    const PixelBox pixels = rle_bbox(image.masks[static_cast<size_t>(g)]);
    CHECK(static_cast<float>(pixels.x) == box[0]);
    CHECK(static_cast<float>(pixels.y) == box[1]);
    CHECK(static_cast<float>(pixels.x + pixels.width) == box[2]);
    CHECK(static_cast<float>(pixels.y + pixels.height) == box[3]);
    CHECK(rle_area(image.masks[static_cast<size_t>(g)]) == pixels.width * pixels.height);
    CHECK((box[2] <= 90.0F && box[3] <= 60.0F));
    const int32_t label = image.labels.data<const int32_t>()[g];
    CHECK((label >= 1 && label < 5));
  }
  const TrainingImage again = noise_training_image(options, 1, 5);
  const TrainingImage other = noise_training_image(options, 0, 5);
  CHECK(again.masks == image.masks);
  CHECK(other.masks != image.masks);
}

TEST_CASE("A step is timed by stage and reported") {
  const TrainBenchOptions options{.model = "maskrcnn_resnet50_c5",
                                  .height = 64,
                                  .width = 96,
                                  .objects = 2,
                                  .warmup = 1,
                                  .repeat = 2};
  const TrainBenchResult result = bench_train(options);
  REQUIRE(result.stages.size() == 5);
  CHECK(result.stages[1].stage == "forward");
  CHECK(result.stages[2].stage == "backward");
  CHECK(result.stages[4].stage == "total");
  double sum = 0;
  for (const StageClock::Row& row : result.stages) {
    REQUIRE(row.samples_ms.size() == 2);
    if (row.stage != "total") sum += row.samples_ms[1];
  }
  CHECK(sum <= result.stages[4].samples_ms[1]);
  CHECK(result.peak_tensor_bytes > 100'000'000);  // parameters alone are more
  for (const double loss : result.losses) CHECK((std::isfinite(loss) && loss > 0));

  const test::TemporaryDirectory folder;
  const std::string path = folder / "train.json";
  BenchSettings settings;
  settings.model = options.model;
  settings.device = "cpu";
  settings.batch = 3;
  write_train_bench(path, settings, result);
  simdjson::dom::parser parser;
  const simdjson::dom::element report = parser.load(path);
  CHECK(report["losses"]["roi_mask"].get_double().value() == doctest::Approx(result.losses[4]));
  CHECK(report["settings"]["batch"].get_int64().value() == 3);
  const double total = summarize_samples(result.stages[4].samples_ms).median_ms;
  CHECK(report["images_per_second"].get_double().value() == doctest::Approx(3000 / total));
  CHECK(report["stages"].at(3)["stage"].get_string().value() == "update");
}

TEST_CASE("An unknown model is refused") {
  CHECK_THROWS_AS(bench_train({.model = "maskrcnn_resnet5"}), UsageError);
}

}  // namespace
}  // namespace mrcnn
