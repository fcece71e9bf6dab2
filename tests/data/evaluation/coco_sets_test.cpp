#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "core/fnv1a.h"
#include "core/parallel.h"
#include "data/evaluation/coco_evaluator.h"
#include "tests/data/evaluation/random_set.h"
#include "tests/support/golden.h"

namespace mrcnn {
namespace {

CocoSummary evaluate(const test::RandomSet& set, IouKind kind) {
  CocoEvaluator evaluator({test::kSetCategories.begin(), test::kSetCategories.end()}, kind,
                          {.strict_ids = set.strict(), .strict_areas = set.strict()});
  const auto num_images = static_cast<int64_t>(set.images().size());
  parallel_for(0, num_images, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const test::RandomImage& image = set.images()[static_cast<size_t>(i)];
      evaluator.add(image.id, image.truths, image.detections);
    }
  });
  return evaluator.summary();
}

TEST_CASE("MatchesGolden: 24 numbers and AP of every class of 300 random sets, to the last bit") {
  const test::GoldenFile golden("coco_sets.safetensors");
  const Tensor values = golden.golden("values"), hashes = golden.golden("class_hashes");
  REQUIRE(values.numel() == 300 * 24);
  int64_t strict_sets = 0, crowded_images = 0, defined_values = 0;
  for (uint32_t number = 0; number < 300; ++number) {
    CAPTURE(number);
    const test::RandomSet set(number);
    strict_sets += set.strict() ? 1 : 0;
    for (const test::RandomImage& image : set.images()) {
      crowded_images += image.detections.size() > 100 ? 1 : 0;
    }
    const double* expected = values.data<const double>() + number * 24;
    std::string classes;  // their APs' bytes
    for (const IouKind kind : {IouKind::kBox, IouKind::kMask}) {
      const CocoSummary summary = evaluate(set, kind);
      for (size_t i = 0; i < kCocoMetrics.size(); ++i) {
        CAPTURE(kCocoMetrics[i]);
        defined_values += *expected > -1 ? 1 : 0;
        CHECK(summary.values[i] == *expected++);
      }
      for (const auto& [category, metrics] : summary.classes) {
        const size_t end = classes.size();
        classes.resize(end + sizeof(double));
        std::memcpy(classes.data() + end, &metrics[0], sizeof(double));
      }
    }
    CHECK(static_cast<int64_t>(fnv1a64(classes)) == hashes.data<const int64_t>()[number]);
  }
  CHECK(strict_sets == 60);
  CHECK(crowded_images > 20);
  CHECK(defined_values > 5000);
}

}  // namespace
}  // namespace mrcnn
