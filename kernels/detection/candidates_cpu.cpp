#include "kernels/detection/candidates.h"

#include <array>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/elementwise/exp_f32.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kGrain = 64;  // RoIs: about 30 microseconds at 91 classes
constexpr size_t kLanes = 32;

MRCNN_TARGET_CLONES
void exponentials(int64_t count, float shift, const float* __restrict__ input,
                  float* __restrict__ output) {
  for (int64_t i = 0; i < count; ++i) output[i] = exp_f32(input[i] - shift);
}

// In the order in which the lanes of a warp add them.
float sum_by_lanes(int64_t count, const float* values) {
  std::array<float, kLanes> lanes{};
  for (int64_t i = 0; i < count; ++i) lanes[static_cast<size_t>(i) % kLanes] += values[i];
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

void softmax(int64_t classes, const float* logits, float* probabilities) {
  float largest = logits[0];
  for (int64_t c = 1; c < classes; ++c) largest = logits[c] > largest ? logits[c] : largest;
  exponentials(classes, largest, logits, probabilities);
  const float sum = sum_by_lanes(classes, probabilities);
  for (int64_t c = 0; c < classes; ++c) probabilities[c] /= sum;
}

}  // namespace

std::vector<Candidate> select_candidates(int64_t count, int64_t classes, const ImageSize& image,
                                         const CandidateParams& params, const float* class_logits,
                                         const float* box_deltas, const float* proposals) {
  if (classes == 0) return {};
  const auto height = static_cast<float>(image.height);
  const auto width = static_cast<float>(image.width);
  std::vector<std::vector<Candidate>> parts(static_cast<size_t>((count + kGrain - 1) / kGrain));
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    std::vector<Candidate>& part = parts[static_cast<size_t>(begin / kGrain)];
    std::vector<float> probabilities(static_cast<size_t>(classes));
    for (int64_t roi = begin; roi < end; ++roi) {
      softmax(classes, class_logits + roi * classes, probabilities.data());
      const float* p = proposals + 4 * roi;
      const Box proposal{p[0], p[1], p[2], p[3]};
      for (int64_t c = 1; c < classes; ++c) {
        const float score = probabilities[static_cast<size_t>(c)];
        const bool selected = params.strict_greater ? score > params.score_threshold
                                                    : score >= params.score_threshold;
        if (!selected) continue;
        const float* deltas = box_deltas + 4 * (roi * classes + c);
        const Box box = clip_box(decode_box(deltas, proposal, params.weights), height, width);
        if (has_min_size(box, params.min_size)) {
          part.push_back({box, score, static_cast<int32_t>(c)});
        }
      }
    }
  });
  std::vector<Candidate> candidates;
  for (const std::vector<Candidate>& part : parts) {
    candidates.insert(candidates.end(), part.begin(), part.end());
  }
  return candidates;
}

}  // namespace mrcnn::cpu
