#include "kernels/detection/candidates.h"

#include <algorithm>
#include <cmath>

#include "core/dispatch.h"
#include "kernels/detection/checks.h"
#include "kernels/detection/image_sizes.h"
#include "kernels/shape/split_channels.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "select_candidates";

// What the box head gave, apart or as one tensor.
struct Inputs {
  Tensor class_logits;
  Tensor box_deltas;  // undefined: behind the logits of each row
  int64_t images;
  int64_t rois;
  int64_t classes;
};

void check_counts(const Tensor& count, int64_t rois) {
  for (const int32_t value : count.span<const int32_t>()) {
    if (value < 0 || value > rois) {
      throw ShapeError(fmt::format("[{}] proposal_count {} is not in 0..{}", kOp, value, rois));
    }
  }
}

Inputs check_inputs(const Tensor& class_logits, const Tensor& box_deltas, const Tensor& proposals,
                    const Tensor& proposal_count, const Tensor& image_sizes) {
  using detection::kAny;
  detection::require_f32(kOp, "image_sizes", image_sizes, "[N,2]", {kAny, 2});
  Inputs inputs{.class_logits = class_logits,
                .box_deltas = box_deltas,
                .images = image_sizes.size(0),
                .rois = 0,
                .classes = 0};
  const bool merged = !box_deltas.defined();
  detection::require_shape(kOp, "class_logits", class_logits, merged ? "[N,P,5*K]" : "[N,P,K]",
                           {inputs.images, kAny, kAny});
  inputs.rois = class_logits.size(1);
  inputs.classes = merged ? class_logits.size(2) / 5 : class_logits.size(2);
  if (merged && class_logits.size(2) % 5 != 0) {
    throw ShapeError(fmt::format("[{}] class_logits must be [N,P,5*K] without box_deltas: {}", kOp,
                                 class_logits.describe()));
  }
  if (!merged) {
    detection::require_shape(kOp, "box_deltas", box_deltas, "[N,P,4*K]",
                             {inputs.images, inputs.rois, 4 * inputs.classes});
    detection::require_dtype(kOp, "box_deltas", box_deltas, class_logits.dtype());
  }
  detection::require_f32(kOp, "proposals", proposals, "[N,P,4]", {inputs.images, inputs.rois, 4});
  detection::require_indexable(kOp, "an image", inputs.rois * inputs.classes);
  if (proposal_count.defined()) {
    detection::require_i32(kOp, "proposal_count", proposal_count, "[N]", {inputs.images});
  }
  return inputs;
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

Candidates select_on_cpu(const Inputs& in, const Tensor& proposals, const Tensor& proposal_count,
                         const Tensor& image_sizes, const CandidateParams& params) {
  Tensor class_logits = in.class_logits;
  Tensor box_deltas = in.box_deltas;
  if (!box_deltas.defined()) {
    ChannelParts parts = split_channels(class_logits, in.classes);
    class_logits = std::move(parts.first);
    box_deltas = std::move(parts.second);
  }
  std::vector<std::vector<cpu::Candidate>> found;
  for (int64_t n = 0; n < in.images; ++n) {
    const float* size = image_sizes.data<const float>() + 2 * n;
    found.push_back(cpu::select_candidates(
        proposal_count.defined() ? proposal_count.data<const int32_t>()[n] : in.rois, in.classes,
        {static_cast<int64_t>(size[0]), static_cast<int64_t>(size[1])}, params,
        class_logits.data<const float>() + n * in.rois * in.classes,
        box_deltas.data<const float>() + n * in.rois * in.classes * 4,
        proposals.data<const float>() + n * in.rois * 4));
  }
  return pack(found);
}

cuda::CandidateLists lists_of(const Candidates& candidates) {
  return {.boxes = candidates.boxes.pointer<float>(),
          .scores = candidates.scores.pointer<float>(),
          .labels = candidates.labels.pointer<int32_t>(),
          .count = candidates.count.pointer<int32_t>()};
}

Candidates select_on_gpu(const Inputs& in, const Tensor& proposals, const Tensor& proposal_count,
                         const Tensor& image_sizes, const CandidateParams& params, Stream stream) {
  const Device device = in.class_logits.device();
  const int64_t slots = max_candidates_per_roi(in.classes, params.score_threshold);
  const int64_t capacity = in.rois * slots;
  const auto make = [&](const Shape& count) {
    return Candidates{.boxes = Tensor::empty({in.images, capacity, 4}, DType::kF32, device),
                      .scores = Tensor::empty({in.images, capacity}, DType::kF32, device),
                      .labels = Tensor::empty({in.images, capacity}, DType::kI32, device),
                      .count = Tensor::empty(count, DType::kI32, device)};
  };
  Candidates result = make({in.images});
  if (result.scores.numel() == 0) {
    result.count = Tensor::zeros({in.images}, DType::kI32, device);
    return result;
  }
  const Candidates found = make({in.images, in.rois});
  const bool merged = !in.box_deltas.defined();
  const int64_t row = in.class_logits.size(2);
  const cuda::CandidateGeometry geometry{.images = in.images,
                                         .rois = in.rois,
                                         .classes = in.classes,
                                         .slots = slots,
                                         .logits_stride = row,
                                         .deltas_stride = merged ? row : 4 * in.classes,
                                         .params = params};
  dispatch_cuda_float(kOp, in.class_logits.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* logits = in.class_logits.pointer<const T>();
    cuda::select_candidates(
        geometry, logits, merged ? logits + in.classes : in.box_deltas.pointer<const T>(),
        proposals.pointer<const float>(),
        proposal_count.defined() ? proposal_count.pointer<const int32_t>() : nullptr,
        image_sizes.pointer<const float>(), lists_of(found), lists_of(result), stream);
  });
  return result;
}

}  // namespace

int64_t max_candidates_per_roi(int64_t classes, float score_threshold) {
  const int64_t all = std::max<int64_t>(classes - 1, 0);
  if (!(score_threshold > 0)) return all;
  const double bound = std::floor(1.0 / static_cast<double>(score_threshold)) + 1;
  return bound < static_cast<double>(all) ? static_cast<int64_t>(bound) : all;
}

Candidates select_candidates(const Tensor& class_logits, const Tensor& box_deltas,
                             const Tensor& proposals, const Tensor& proposal_count,
                             const Tensor& image_sizes, const CandidateParams& params) {
  const Inputs inputs =
      check_inputs(class_logits, box_deltas, proposals, proposal_count, image_sizes);
  detection::require_weights(kOp, params.weights);
  const Device device =
      common_device(kOp, {&class_logits, &box_deltas, &proposals, &proposal_count, &image_sizes});
  Candidates result;
  dispatch_device(
      kOp, device,
      [&] {
        detection::require_dtype(kOp, "class_logits", class_logits, DType::kF32);
        if (proposal_count.defined()) check_counts(proposal_count, inputs.rois);
        result = select_on_cpu(inputs, proposals, proposal_count, image_sizes, params);
      },
      [&](Stream stream) {
        result = select_on_gpu(inputs, proposals, proposal_count, image_sizes, params, stream);
      });
  return result;
}

Candidates select_candidates(const Tensor& class_logits, const Tensor& box_deltas,
                             const Tensor& proposals, const Tensor& proposal_count,
                             const std::vector<ImageSize>& image_sizes,
                             const CandidateParams& params) {
  return select_candidates(class_logits, box_deltas, proposals, proposal_count,
                           image_size_tensor(image_sizes, class_logits.device()), params);
}

}  // namespace mrcnn
