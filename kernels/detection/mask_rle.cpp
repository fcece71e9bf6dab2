#include "kernels/detection/mask_rle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/dispatch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/primitives.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "masks_to_rle";

std::vector<Rle> encode_on_cpu(const MaskGeometry& g, const Tensor& probs, const Tensor& boxes) {
  std::vector<Rle> result(static_cast<size_t>(g.masks));
  const float* const prob = probs.data<const float>();
  const float* const box = boxes.data<const float>();
  parallel_for(0, g.masks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      result[static_cast<size_t>(i)] =
          cpu::mask_to_rle(g, prob + i * g.mask_size * g.mask_size, box + 4 * i);
    }
  });
  return result;
}

MaskRuns queue_runs(const MaskGeometry& g, const Tensor& probs, const Tensor& boxes, int64_t room) {
  if (g.pixels() > INT32_MAX) {
    throw ShapeError(fmt::format("[{}] cannot encode an image of {} x {} pixels on a GPU", kOp,
                                 g.height, g.width));
  }
  const Device device = probs.device();
  MaskRuns runs{.counts = Tensor::zeros({g.masks}, DType::kI32, device),
                .starts = Tensor::empty({room}, DType::kI32, device)};
  const Tensor columns = Tensor::empty({g.masks, g.width}, DType::kI32, device);
  dispatch_device(
      kOp, device,
      [&] {
        throw DeviceError("[masks_to_rle] has its runs queued on a GPU: probs " + probs.describe());
      },
      [&](Stream stream) {
        const auto* const prob = probs.pointer<const float>();
        const auto* const box = boxes.pointer<const float>();
        cuda::mask_rle_count(g, prob, box, columns.pointer<int32_t>(),
                             runs.counts.pointer<int32_t>(), stream);
        cuda::mask_rle_write(g, prob, box, columns.pointer<const int32_t>(),
                             runs.counts.pointer<const int32_t>(), room,
                             runs.starts.pointer<int32_t>(), stream);
      });
  return runs;
}

// An object's outline crosses most columns of its box twice; boxes are a quarter of the image wide
// on average, single ones up to all of it. At most 4 MB, as all of it is downloaded.
int64_t usual_room(const MaskGeometry& g) {
  return std::min(g.masks * g.width / 2 + 4 * g.width, int64_t{1} << 20);
}

MaskRuns downloaded(const MaskRuns& runs) {
  const std::vector<Tensor> host = download(std::array{runs.counts, runs.starts});
  return {.counts = host[0], .starts = host[1]};
}

int64_t sum(const Tensor& counts) {
  int64_t total = 0;
  for (const int32_t count : counts.span<const int32_t>()) total += count;
  return total;
}

// starts [count]
Rle to_rle(const int32_t* starts, int64_t count, int64_t height, int64_t width) {
  Rle rle{.height = height, .width = width, .counts = {}};
  rle.counts.reserve(static_cast<size_t>(count) + 1);
  int64_t last = 0;
  for (int64_t i = 0; i < count; ++i) {
    rle.counts.push_back(static_cast<uint32_t>(starts[i] - last));
    last = starts[i];
  }
  rle.counts.push_back(static_cast<uint32_t>(height * width - last));
  return rle;
}

}  // namespace

std::vector<Rle> masks_to_rle(const Tensor& probs, const Tensor& boxes, int64_t height,
                              int64_t width, const MaskThreshold& params) {
  const MaskGeometry g = mask_geometry(kOp, probs, boxes, height, width, params);
  if (probs.device().is_cpu()) return encode_on_cpu(g, probs, boxes);
  if (g.masks == 0) return {};
  MaskRuns runs = downloaded(queue_runs(g, probs, boxes, usual_room(g)));
  const int64_t needed = sum(runs.counts);
  if (needed > runs.starts.numel()) runs = downloaded(queue_runs(g, probs, boxes, needed));
  return *runs_to_rle(runs, height, width);
}

MaskRuns queue_mask_runs(const Tensor& probs, const Tensor& boxes, int64_t height, int64_t width,
                         const MaskThreshold& params) {
  const MaskGeometry g = mask_geometry(kOp, probs, boxes, height, width, params);
  return queue_runs(g, probs, boxes, usual_room(g));
}

std::optional<std::vector<Rle>> runs_to_rle(const MaskRuns& runs, int64_t height, int64_t width) {
  if (sum(runs.counts) > runs.starts.numel()) return std::nullopt;
  std::vector<Rle> result;
  const int32_t* starts = runs.starts.data<const int32_t>();
  for (const int32_t count : runs.counts.span<const int32_t>()) {
    result.push_back(to_rle(starts, count, height, width));
    starts += count;
  }
  return result;
}

}  // namespace mrcnn
