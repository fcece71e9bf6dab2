#include "data/evaluation/resampling.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <span>

#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "data/evaluation/resampled_values.h"

namespace mrcnn {
namespace {

// Image `number` of an endless set in which objects are found by chance, better or worse ones and
// in better or worse images; two classes.
struct MadeUpImage {
  std::array<std::vector<MatchedDetection>, 2> detections;
  std::array<uint32_t, 2> num_truths{};
};

MadeUpImage make_image(uint32_t number, double skill) {
  const RandomStream random{.seed = 5, .step = number};
  uint64_t next = 0;
  const auto draw = [&] { return static_cast<double>(random.uniform(next++)); };
  MadeUpImage image;
  const double ease = draw();
  for (size_t k = 0; k < 2; ++k) {
    const auto truths = static_cast<uint32_t>(draw() * 4);
    image.num_truths[k] = truths;
    const auto add = [&](double score, bool right) {
      MatchedDetection one{.score = score, .matched = {}, .ignored = {}};
      // Right up to some threshold.
      const auto bits = static_cast<uint16_t>((1U << static_cast<unsigned>(1 + draw() * 10)) - 1);
      if (right) one.matched = {bits, bits, bits, bits};
      image.detections[k].push_back(one);
    };
    for (uint32_t g = 0; g < truths; ++g) {
      const double score = draw();
      if (draw() < skill * (0.4 + 0.6 * ease)) add(0.3 + 0.7 * score, true);
    }
    for (int wrong = 0; wrong < 2; ++wrong) {
      const double score = draw();
      if (draw() < 0.5) add(0.8 * score, false);
    }
    std::stable_sort(image.detections[k].begin(), image.detections[k].end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
  }
  return image;
}

MatchTable table_of(std::span<const uint32_t> numbers, double skill, bool with_sizes = true) {
  MatchTable table;
  table.classes.resize(2);
  for (size_t k = 0; k < 2; ++k) table.classes[k].category = static_cast<int64_t>(k) + 1;
  for (size_t i = 0; i < numbers.size(); ++i) {
    table.image_ids.push_back(static_cast<int64_t>(i));
    const MadeUpImage image = make_image(numbers[i], skill);
    for (size_t k = 0; k < 2; ++k) {
      ClassMatches& one = table.classes[k];
      const uint32_t truths = image.num_truths[k];
      one.images.push_back({.image = static_cast<uint32_t>(i),
                            .num_detections = static_cast<uint32_t>(image.detections[k].size()),
                            .first_detection = one.detections.size(),
                            .num_truths = {truths, with_sizes ? truths : 0, 0, 0}});
      one.detections.insert(one.detections.end(), image.detections[k].begin(),
                            image.detections[k].end());
    }
  }
  return table;
}

std::vector<uint32_t> numbers_from(uint32_t first, size_t count) {
  std::vector<uint32_t> numbers(count);
  for (size_t i = 0; i < count; ++i) numbers[i] = first + static_cast<uint32_t>(i);
  return numbers;
}

TEST_CASE("RejectsWhatCannotBeDrawn") {
  const MatchTable table = table_of(numbers_from(0, 3), 1);
  CHECK_THROWS_WITH_AS(resample(table, {.resamples = 0}), doctest::Contains("at least one"),
                       UsageError);
  CHECK_THROWS_WITH_AS(resample(table, {.level = 1}), doctest::Contains("level"), UsageError);
  CHECK_THROWS_WITH_AS(resample({}, {}), doctest::Contains("no image"), UsageError);
  CHECK_THROWS_WITH_AS(compare(table, table_of(numbers_from(0, 4), 1), {}),
                       doctest::Contains("different images (3 and 4)"), UsageError);
  MatchTable other = table;
  other.classes.pop_back();
  CHECK_THROWS_WITH_AS(compare(table, other, {}), doctest::Contains("different classes (2 and 1)"),
                       UsageError);
}

// The table that a resample stands for, with every image as often as it was drawn.
MatchTable drawn_table(std::vector<uint32_t> numbers, uint64_t seed, uint32_t resample) {
  const RandomStream random{.seed = seed, .purpose = RandomPurpose::kResampling, .step = resample};
  std::vector<uint32_t> drawn;
  for (size_t i = 0; i < numbers.size(); ++i) {
    drawn.push_back(
        numbers[static_cast<size_t>((uint64_t{random.word(i)} * numbers.size()) >> 32)]);
  }
  std::sort(drawn.begin(), drawn.end());
  return table_of(drawn, 0.7);
}

TEST_CASE("A resample's numbers are those of the images drawn") {
  const std::vector<uint32_t> numbers = numbers_from(100, 23);
  const MatchTable table = table_of(numbers, 0.7);
  const ResampledValues drawn = resampled_values(table, 70, 9);
  REQUIRE(drawn.values.size() == 70);
  for (const uint32_t n : {0U, 1U, 40U, 63U, 64U, 69U}) {
    const CocoSummary expected = summarize(CocoCurves(drawn_table(numbers, 9, n)));
    for (size_t i = 0; i < kCocoMetrics.size(); ++i) {
      CAPTURE(kCocoMetrics[i]);
      CHECK(drawn.values[n][i] == doctest::Approx(expected.values[i]).epsilon(1e-12));
    }
    for (size_t k = 0; k < 2; ++k) {
      CHECK(drawn.class_ap[k][n] ==
            doctest::Approx(expected.classes.at(static_cast<int64_t>(k) + 1)[0]).epsilon(1e-12));
    }
  }
}

TEST_CASE("Nominal 95 % intervals hold the expected value in 90 to 99 % of sets") {
  constexpr size_t kSets = 200, kImages = 100;
  std::vector<Interval> intervals;
  double expected = 0;
  const int threads = num_threads();
  set_num_threads(1);  // the sets are too small to share
  for (size_t set = 0; set < kSets; ++set) {
    const MatchTable table =
        table_of(numbers_from(static_cast<uint32_t>(set * kImages), kImages), 0.7, false);
    expected += summarize(CocoCurves(table)).values[0] / kSets;
    intervals.push_back(resample(table, {.resamples = 200, .seed = set}).values[0]);
  }
  set_num_threads(threads);
  const auto covered =
      std::count_if(intervals.begin(), intervals.end(), [&](const Interval& interval) {
        return interval.low <= expected && expected <= interval.high;
      });
  MESSAGE(covered << " of " << kSets);
  CHECK(covered >= 180);
  CHECK(covered <= 198);
}

TEST_CASE("Threads do not change the intervals, another seed does") {
  const MatchTable table = table_of(numbers_from(0, 40), 0.7);
  const int threads = num_threads();
  set_num_threads(1);
  const ResampledSummary one = resample(table, {.resamples = 100});
  set_num_threads(3);
  const ResampledSummary three = resample(table, {.resamples = 100});
  set_num_threads(threads);
  const ResampledSummary other = resample(table, {.resamples = 100, .seed = 1});
  CHECK(one.values[0].low == three.values[0].low);
  CHECK(one.class_ap[1].high == three.class_ap[1].high);
  CHECK(one.values[0].low != other.values[0].low);
  CHECK(one.values[5].low == -1);  // no large object
}

TEST_CASE("A better detector is told from an equal one") {
  const std::vector<uint32_t> numbers = numbers_from(500, 200);
  const MatchTable good = table_of(numbers, 0.9), bad = table_of(numbers, 0.5);
  const auto better = compare(bad, good, {.resamples = 200});
  CHECK(better[0].value > 0);
  CHECK(better[0].interval.low > 0);
  CHECK(better[0].p < 0.02);
  const auto worse = compare(good, bad, {.resamples = 200});
  CHECK(worse[0].value == -better[0].value);
  CHECK(worse[0].p == better[0].p);
  const auto same = compare(good, good, {.resamples = 50});
  CHECK(same[0].value == 0);
  CHECK(same[0].p == 1);
  CHECK_FALSE(same[5].defined);
}

}  // namespace
}  // namespace mrcnn
