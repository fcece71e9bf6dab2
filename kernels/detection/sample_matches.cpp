#include "kernels/detection/sample_matches.h"

#include "kernels/detection/checks.h"

namespace mrcnn {

SampledMatches sample_matches(const Tensor& matched, const SampleParams& params,
                              const RandomStream& stream, int64_t first_image) {
  constexpr const char* kOp = "sample_matches";
  detection::require_i32(kOp, "matched", matched, "[N,T]", {detection::kAny, detection::kAny});
  detection::require_indexable(kOp, "an image's boxes", matched.size(1));
  if (params.num_samples < 1 || params.num_samples > INT32_MAX ||
      !(params.positive_fraction >= 0 && params.positive_fraction <= 1)) {
    throw ShapeError(
        fmt::format("[{}] num_samples {} must be positive and positive_fraction {} in 0..1", kOp,
                    params.num_samples, params.positive_fraction));
  }
  if (first_image < 0 || first_image > INT32_MAX) {
    throw ShapeError(
        fmt::format("[{}] first_image {} is not in 0..{}", kOp, first_image, INT32_MAX));
  }
  const int64_t images = matched.size(0);
  const Device device = matched.device();
  const SampledMatches samples{
      .indices = Tensor::empty({images, params.num_samples}, DType::kI32, device),
      .num_positive = Tensor::empty({images}, DType::kI32, device),
      .num_negative = Tensor::empty({images}, DType::kI32, device)};
  const SampleView view{.images = images,
                        .boxes = matched.size(1),
                        .samples = params.num_samples,
                        .most_positive = static_cast<int64_t>(
                            static_cast<double>(params.num_samples) * params.positive_fraction),
                        .first_image = static_cast<uint64_t>(first_image),
                        .random = stream,
                        .matched = matched.pointer<const int32_t>(),
                        .indices = samples.indices.pointer<int32_t>(),
                        .num_positive = samples.num_positive.pointer<int32_t>(),
                        .num_negative = samples.num_negative.pointer<int32_t>()};
  dispatch_device(
      kOp, device, [&] { cpu::sample_matches(view); },
      [&](Stream gpu_stream) { cuda::sample_matches(view, gpu_stream); });
  return samples;
}

}  // namespace mrcnn
