#include "data/evaluation/resampled_values.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "core/parallel.h"
#include "core/random.h"
#include "data/evaluation/ranking.h"

namespace mrcnn {
namespace {

// Resamples that are looked at together: the events of a class are listed once for all of them.
constexpr int64_t kBlock = 64;

using Weights = std::vector<uint16_t>;  // how often each image was drawn

Weights draw_images(size_t num_images, uint64_t seed, int64_t resample) {
  const RandomStream random{
      .seed = seed, .purpose = RandomPurpose::kResampling, .step = static_cast<uint32_t>(resample)};
  Weights weights(num_images, 0);
  for (size_t i = 0; i < num_images; i += 4) {
    const auto words = random.block(i / 4);
    for (size_t k = 0; k < std::min<size_t>(4, num_images - i); ++k) {
      ++weights[static_cast<size_t>((uint64_t{words[k]} * num_images) >> 32)];
    }
  }
  return weights;
}

// What counts at one threshold and for one range of sizes, by falling score.
struct Outcomes {
  std::vector<uint32_t> right;         // their images
  std::vector<uint32_t> wrong_before;  // of each: how many wrong ones come first
  std::vector<size_t> limits;          // of each: how many of kDetectionLimits leave it out
  std::vector<uint32_t> wrong;         // their images, up to the last right one
};

Outcomes outcomes_of(const Ranking& ranking, size_t t, size_t a) {
  Outcomes outcomes;
  for (const RankedDetection& ranked : ranking.detections) {
    if (((ranked.detection->ignored[a] >> t) & 1U) != 0) continue;
    if (((ranked.detection->matched[a] >> t) & 1U) == 0) {
      outcomes.wrong.push_back(ranked.image);
      continue;
    }
    outcomes.right.push_back(ranked.image);
    outcomes.wrong_before.push_back(static_cast<uint32_t>(outcomes.wrong.size()));
    const auto limits = std::count_if(kDetectionLimits.begin(), kDetectionLimits.end(),
                                      [&](int64_t limit) { return ranked.rank >= limit; });
    outcomes.limits.push_back(static_cast<size_t>(limits));
  }
  outcomes.wrong.resize(outcomes.right.empty() ? 0 : outcomes.wrong_before.back());
  return outcomes;
}

// How many objects must be found for each recall.
std::array<int64_t, kNumRecalls> needed_for(int64_t num_truths,
                                            const std::array<double, kNumRecalls>& recalls) {
  const auto count = static_cast<double>(num_truths);
  std::array<int64_t, kNumRecalls> needed{};
  for (size_t r = 0; r < kNumRecalls; ++r) {
    double found = std::max(0.0, std::floor(recalls[r] * count) - 1);
    while (found / count < recalls[r]) found += 1;
    needed[r] = static_cast<int64_t>(found);
  }
  return needed;
}

struct Measured {
  double precision = 0;                     // mean over the recalls
  std::array<int64_t, kNumLimits> found{};  // right ones within each limit
};

Measured measure(const Outcomes& outcomes, const Weights& weights,
                 const std::array<int64_t, kNumRecalls>& needed,
                 std::vector<int64_t>& wrong_among) {
  Measured measured;
  for (size_t i = 0; i < outcomes.right.size(); ++i) {
    measured.found[outcomes.limits[i]] += weights[outcomes.right[i]];
  }
  std::partial_sum(measured.found.begin(), measured.found.end(), measured.found.begin());
  wrong_among.assign(1, 0);  // the first so many
  for (const uint32_t image : outcomes.wrong) {
    wrong_among.push_back(wrong_among.back() + weights[image]);
  }
  // From the last detection on: the largest precision so far is what the recalls that only now
  // become out of reach get.
  int64_t right = measured.found.back();
  double sum = 0, best = 0;
  auto reached =
      static_cast<size_t>(std::upper_bound(needed.begin(), needed.end(), right) - needed.begin());
  for (size_t i = outcomes.right.size(); i-- > 0;) {
    const int64_t weight = weights[outcomes.right[i]];
    if (weight == 0) continue;
    const int64_t wrong = wrong_among[outcomes.wrong_before[i]];
    best = std::max(best, static_cast<double>(right) / static_cast<double>(right + wrong));
    right -= weight;
    for (; reached > 0 && needed[reached - 1] > right; --reached) sum += best;
  }
  sum += best * static_cast<double>(reached);  // recall 0
  measured.precision = sum / kNumRecalls;
  return measured;
}

// The twelve numbers of one class in every resample of a block.
class ClassSampler {
 public:
  ClassSampler(const ClassMatches& matches, std::span<const Weights> block)
      : matches_(matches), ranking_(rank_detections(matches)), block_(block) {}

  std::vector<CocoValues> sample() const {
    std::vector<CocoValues> values(block_.size());
    for (CocoValues& one : values) one.fill(-1);
    for (size_t a = 0; a < kNumAreaRanges; ++a) sample_range(a, values);
    return values;
  }

 private:
  int64_t truths_in(size_t a, const Weights& weights) const {
    int64_t count = 0;
    for (const MatchedImage& image : matches_.images) {
      count += int64_t{image.num_truths[a]} * weights[image.image];
    }
    return count;
  }

  void sample_range(size_t a, std::vector<CocoValues>& values) const {
    std::array<Outcomes, kNumIouThresholds> outcomes;
    for (size_t t = 0; t < kNumIouThresholds; ++t) outcomes[t] = outcomes_of(ranking_, t, a);
    std::vector<int64_t> scratch;
    const auto recalls = coco_recalls();
    for (size_t b = 0; b < block_.size(); ++b) {
      const int64_t num_truths = truths_in(a, block_[b]);
      if (num_truths == 0) continue;
      const auto needed = needed_for(num_truths, recalls);
      std::array<Measured, kNumIouThresholds> measured;
      for (size_t t = 0; t < kNumIouThresholds; ++t) {
        measured[t] = measure(outcomes[t], block_[b], needed, scratch);
      }
      write(a, measured, static_cast<double>(num_truths), values[b]);
    }
  }

  static void write(size_t a, const std::array<Measured, kNumIouThresholds>& measured,
                    double num_truths, CocoValues& values) {
    constexpr size_t kAt75 = 5;
    double precision = 0;
    std::array<double, kNumLimits> recall{};
    for (const Measured& one : measured) {
      precision += one.precision / kNumIouThresholds;
      for (size_t m = 0; m < kNumLimits; ++m) {
        recall[m] += static_cast<double>(one.found[m]) / num_truths / kNumIouThresholds;
      }
    }
    if (a > 0) {
      values[2 + a] = precision;
      values[8 + a] = recall.back();
      return;
    }
    values[0] = precision;
    values[1] = measured[0].precision;
    values[2] = measured[kAt75].precision;
    std::copy(recall.begin(), recall.end(), values.begin() + 6);
  }

  const ClassMatches& matches_;
  Ranking ranking_;
  std::span<const Weights> block_;
};

CocoValues mean_of_classes(std::span<const std::vector<CocoValues>> classes, size_t resample) {
  CocoValues means{};
  for (size_t i = 0; i < means.size(); ++i) {
    double sum = 0, count = 0;
    for (const std::vector<CocoValues>& one : classes) {
      if (one[resample][i] < 0) continue;
      sum += one[resample][i];
      count += 1;
    }
    means[i] = count > 0 ? sum / count : -1;
  }
  return means;
}

}  // namespace

ResampledValues resampled_values(const MatchTable& matches, int64_t resamples, uint64_t seed) {
  const size_t num_classes = matches.classes.size();
  ResampledValues result;
  result.class_ap.resize(num_classes);
  for (int64_t first = 0; first < resamples; first += kBlock) {
    std::vector<Weights> block(static_cast<size_t>(std::min(kBlock, resamples - first)));
    parallel_for(0, static_cast<int64_t>(block.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        block[static_cast<size_t>(b)] = draw_images(matches.image_ids.size(), seed, first + b);
      }
    });
    std::vector<std::vector<CocoValues>> classes(num_classes);
    parallel_for(0, static_cast<int64_t>(num_classes), 1, [&](int64_t begin, int64_t end) {
      for (auto k = static_cast<size_t>(begin); k < static_cast<size_t>(end); ++k) {
        classes[k] = ClassSampler(matches.classes[k], block).sample();
      }
    });
    for (size_t b = 0; b < block.size(); ++b) {
      result.values.push_back(mean_of_classes(classes, b));
      for (size_t k = 0; k < num_classes; ++k) result.class_ap[k].push_back(classes[k][b][0]);
    }
  }
  return result;
}

}  // namespace mrcnn
