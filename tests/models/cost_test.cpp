#include "models/mask_rcnn/cost.h"

#include <doctest/doctest.h>

#include "models/zoo.h"

using namespace mrcnn;

namespace {

double total_giga_macs(const char* model, const CostInput& input) {
  double flops = 0;
  for (const StageCost& cost : model_cost(model_config(model), input, true)) flops += cost.flops;
  return flops / 2e9;
}

}  // namespace

// Seed-model facts, section 20: multiply-adds at padded 800x1088.
TEST_CASE("The original model's stages cost what was measured on the reference") {
  const auto costs =
      model_cost(model_config("maskrcnn_resnet50_c5"),
                 {.height = 800, .width = 1088, .num_proposals = 1, .num_detections = 1}, true);
  const std::vector<double> expected{2.0, 11.6, 17.8, 25.4, 14.0, 0.95, 0.51, 0.014, 0.532};
  REQUIRE(costs.size() == expected.size());
  for (size_t i = 0; i < costs.size(); ++i) {
    CAPTURE(costs[i].stage);
    CHECK(costs[i].flops / 2e9 == doctest::Approx(expected[i]).epsilon(0.03));
  }
}

// performance.md's roofline: 538 GFLOP for FPN and 314 for the original at 800x1344, 1000
// proposals and 100 detections with only the predicted class's mask.
TEST_CASE("Whole models cost what the roofline was computed from") {
  const CostInput input{.height = 800, .width = 1344, .num_proposals = 1000, .num_detections = 100};
  CHECK(2 * total_giga_macs("maskrcnn_resnet50_fpn", input) == doctest::Approx(538).epsilon(0.02));
  CHECK(2 * total_giga_macs("maskrcnn_resnet50_c5", input) == doctest::Approx(314).epsilon(0.02));
}
