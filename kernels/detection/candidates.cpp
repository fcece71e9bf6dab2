#include "kernels/detection/candidates.h"

#include <algorithm>

#include "kernels/detection/checks.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "select_candidates";

void check_inputs(const Tensor& class_logits, const Tensor& box_deltas, const Tensor& proposals,
                  const Tensor& proposal_count, int64_t images) {
  using detection::kAny;
  detection::require_f32(kOp, "class_logits", class_logits, "[N,P,K]", {images, kAny, kAny});
  const int64_t rois = class_logits.size(1);
  detection::require_f32(kOp, "box_deltas", box_deltas, "[N,P,4*K]",
                         {images, rois, 4 * class_logits.size(2)});
  detection::require_f32(kOp, "proposals", proposals, "[N,P,4]", {images, rois, 4});
  detection::require_indexable(kOp, "an image", rois * class_logits.size(2));
  if (!proposal_count.defined()) return;
  detection::require_i32(kOp, "proposal_count", proposal_count, "[N]", {images});
  for (const int32_t count : proposal_count.span<const int32_t>()) {
    if (count < 0 || count > rois) {
      throw ShapeError(fmt::format("[{}] proposal_count {} is not in 0..{}", kOp, count, rois));
    }
  }
}

Candidates pack(const std::vector<std::vector<cpu::Candidate>>& found) {
  const auto images = static_cast<int64_t>(found.size());
  size_t capacity = 0;
  for (const std::vector<cpu::Candidate>& image : found)
    capacity = std::max(capacity, image.size());
  const auto width = static_cast<int64_t>(capacity);
  Candidates result{.boxes = Tensor::zeros({images, width, 4}),
                    .scores = Tensor::zeros({images, width}),
                    .labels = Tensor::zeros({images, width}, DType::kI32),
                    .count = Tensor::empty({images}, DType::kI32)};
  for (int64_t n = 0; n < images; ++n) {
    const std::vector<cpu::Candidate>& image = found[static_cast<size_t>(n)];
    float* boxes = result.boxes.data<float>() + n * width * 4;
    float* scores = result.scores.data<float>() + n * width;
    int32_t* labels = result.labels.data<int32_t>() + n * width;
    for (const cpu::Candidate& candidate : image) {
      for (const float edge :
           {candidate.box.x1, candidate.box.y1, candidate.box.x2, candidate.box.y2}) {
        *boxes++ = edge;
      }
      *scores++ = candidate.score;
      *labels++ = candidate.label;
    }
    result.count.data<int32_t>()[n] = static_cast<int32_t>(image.size());
  }
  return result;
}

}  // namespace

Candidates select_candidates(const Tensor& class_logits, const Tensor& box_deltas,
                             const Tensor& proposals, const Tensor& proposal_count,
                             const std::vector<ImageSize>& image_sizes,
                             const CandidateParams& params) {
  const auto images = static_cast<int64_t>(image_sizes.size());
  check_inputs(class_logits, box_deltas, proposals, proposal_count, images);
  detection::require_weights(kOp, params.weights);
  const int64_t rois = class_logits.size(1);
  const int64_t classes = class_logits.size(2);
  std::vector<std::vector<cpu::Candidate>> found;
  for (int64_t n = 0; n < images; ++n) {
    found.push_back(cpu::select_candidates(
        proposal_count.defined() ? proposal_count.data<const int32_t>()[n] : rois, classes,
        image_sizes[static_cast<size_t>(n)], params,
        class_logits.data<const float>() + n * rois * classes,
        box_deltas.data<const float>() + n * rois * classes * 4,
        proposals.data<const float>() + n * rois * 4));
  }
  return pack(found);
}

}  // namespace mrcnn
