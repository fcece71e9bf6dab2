// What rpn_proposals does on a GPU: its passes, and the memory between them. Nothing is read back.
#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/detection/gather_detections.h"
#include "kernels/detection/nms.h"
#include "kernels/detection/rpn_proposals.h"
#include "kernels/detection/rpn_proposals_passes.h"
#include "kernels/detection/topk.h"

namespace mrcnn::cuda {
namespace {

constexpr const char* kOp = "rpn_proposals";
constexpr int64_t kGroup = 32;  // ranks that one warp decodes

// Lists of boxes of all levels, [images, capacity] and on a GPU.
struct DecodedBoxes {
  Tensor boxes;
  Tensor scores;
  Tensor levels;
  Tensor count;
  RpnLists lists;
};

DecodedBoxes make_lists(int64_t images, int64_t capacity, const Shape& count, Device device) {
  DecodedBoxes made{.boxes = Tensor::empty({images, capacity, 4}, DType::kF32, device),
                    .scores = Tensor::empty({images, capacity}, DType::kF32, device),
                    .levels = Tensor::empty({images, capacity}, DType::kI32, device),
                    .count = Tensor::empty(count, DType::kI32, device),
                    .lists = {}};
  made.lists = {.boxes = made.boxes.pointer<float>(),
                .scores = made.scores.pointer<float>(),
                .levels = made.levels.pointer<int32_t>(),
                .count = made.count.pointer<int32_t>()};
  return made;
}

// What the passes get, and the memory that it points to.
template <typename T>
struct GpuLevels {
  RpnLevels<T> views{};
  RpnGeometry geometry{};
  std::vector<Tensor> scores;
  bool gathers = false;  // the logits of some level are no rows of f32
};

template <typename T>
GpuLevels<T> view_levels(const std::vector<RpnLevel>& levels, int64_t images,
                         const RpnProposalParams& params) {
  GpuLevels<T> gpu;
  gpu.geometry = {.images = images, .ranks = 0, .groups = 0, .params = params};
  gpu.gathers =
      !std::is_same_v<T, float> || std::any_of(levels.begin(), levels.end(),
                                               [](auto& level) { return !level.deltas.defined(); });
  for (const RpnLevel& level : levels) {
    const Device device = level.logits.device();
    const int64_t count = level.num_anchors();
    const bool merged = !level.deltas.defined();
    const Tensor scores =
        gpu.gathers ? Tensor::empty({images, count}, DType::kF32, device) : level.logits;
    gpu.scores.push_back(scores);
    const int64_t anchors = level.base_anchors.size(0);
    const T* logits = level.logits.pointer<const T>();
    const int64_t taken = std::min(params.pre_nms_top_n, count);
    gpu.views.level[static_cast<size_t>(gpu.views.num_levels++)] = {
        .grid = level.grid(),
        .cells = level.logits.size(1) * level.logits.size(2),
        .taken = taken,
        .first_rank = gpu.geometry.ranks,
        .first_group = gpu.geometry.groups,
        .logits_stride = merged ? 5 * anchors : anchors,
        .deltas_stride = merged ? 5 * anchors : 4 * anchors,
        .logits = logits,
        .deltas = merged ? logits + anchors : level.deltas.pointer<const T>(),
        .base_anchors = level.base_anchors.pointer<const float>(),
        .scores = scores.pointer<float>()};
    gpu.geometry.ranks += taken;
    gpu.geometry.groups += (taken + kGroup - 1) / kGroup;
  }
  return gpu;
}

// The best logits of each level, all levels of an image in one row.
template <typename T>
TopK best_of_levels(const GpuLevels<T>& gpu, Device device, Stream stream) {
  const RpnGeometry& g = gpu.geometry;
  TopK best{.values = Tensor::empty({g.images, g.ranks}, DType::kF32, device),
            .indices = Tensor::empty({g.images, g.ranks}, DType::kI32, device)};
  if (gpu.gathers) rpn_gather_logits(g.images, gpu.views, stream);
  std::vector<TopkLevel> searches;
  for (int i = 0; i < gpu.views.num_levels; ++i) {
    const RpnLevelView<T>& level = gpu.views.level[static_cast<size_t>(i)];
    if (level.taken == 0) continue;
    searches.push_back({.scores = level.scores,
                        .columns = level.cells * level.grid.num_anchors,
                        .k = level.taken,
                        .values = best.values.pointer<float>() + level.first_rank,
                        .indices = best.indices.pointer<int32_t>() + level.first_rank,
                        .output_stride = g.ranks});
  }
  const Tensor workspace =
      Tensor::empty({topk_workspace_bytes(g.images, searches)}, DType::kU8, device);
  topk(g.images, searches, workspace.raw(), stream);
  return best;
}

// All levels' boxes as one list ordered by logit, the best pre_nms_top_n of them.
DecodedBoxes join_levels(const RpnGeometry& g, const DecodedBoxes& decoded, Stream stream) {
  const Device device = decoded.boxes.device();
  const int64_t capacity = std::min(g.params.pre_nms_top_n, g.ranks);
  DecodedBoxes joined = make_lists(g.images, capacity, {g.images}, device);
  const Tensor keys = Tensor::empty({g.images, g.ranks}, DType::kI64, device);
  rpn_join_levels(g, capacity, decoded.lists,
                  static_cast<uint64_t*>(static_cast<void*>(keys.raw())), joined.lists, stream);
  return joined;
}

Proposals suppress(const RpnGeometry& g, const DecodedBoxes& decoded, Stream stream) {
  const Device device = decoded.boxes.device();
  const int64_t limit = decoded.boxes.size(1);
  const int64_t capacity = g.params.post_nms_top_n;
  const int64_t keep_capacity = std::min(capacity, limit);
  const Proposals result{.boxes = Tensor::empty({g.images, capacity, 4}, DType::kF32, device),
                         .scores = Tensor::empty({g.images, capacity}, DType::kF32, device),
                         .count = Tensor::empty({g.images}, DType::kI32, device)};
  const Tensor keep = Tensor::empty({g.images, keep_capacity}, DType::kI32, device);
  const NmsGeometry geometry{.images = g.images,
                             .boxes = limit,
                             .capacity = keep_capacity,
                             .params = {.iou_threshold = g.params.nms_threshold,
                                        .max_keep = capacity,
                                        .max_group_size = g.params.pre_nms_top_n}};
  const Tensor workspace = Tensor::empty({nms_workspace_bytes(geometry)}, DType::kU8, device);
  nms(geometry, decoded.lists.boxes, decoded.lists.scores,
      g.params.joint_levels ? nullptr : decoded.lists.levels, decoded.lists.count,
      keep.pointer<int32_t>(), result.count.pointer<int32_t>(), workspace.raw(), stream);
  gather_detections({.images = g.images,
                     .candidates = limit,
                     .keep_capacity = keep_capacity,
                     .capacity = capacity,
                     .boxes = decoded.lists.boxes,
                     .scores = decoded.lists.scores,
                     .labels = nullptr,
                     .keep = keep.pointer<const int32_t>(),
                     .count = result.count.pointer<const int32_t>(),
                     .out_boxes = result.boxes.pointer<float>(),
                     .out_scores = result.scores.pointer<float>(),
                     .out_labels = nullptr,
                     .out_rois = nullptr},
                    stream);
  return result;
}

template <typename T>
Proposals run_on_gpu(const std::vector<RpnLevel>& levels, const Tensor& image_sizes,
                     const RpnProposalParams& params, Stream stream) {
  const Device device = image_sizes.device();
  const GpuLevels<T> gpu = view_levels<T>(levels, image_sizes.size(0), params);
  const RpnGeometry& g = gpu.geometry;
  if (g.ranks == 0 || g.images == 0 || params.post_nms_top_n == 0) {
    return {.boxes = Tensor::zeros({g.images, params.post_nms_top_n, 4}, DType::kF32, device),
            .scores = Tensor::zeros({g.images, params.post_nms_top_n}, DType::kF32, device),
            .count = Tensor::zeros({g.images}, DType::kI32, device)};
  }
  const TopK best = best_of_levels(gpu, device, stream);
  const DecodedBoxes found = make_lists(g.images, g.groups * kGroup, {g.images, g.groups}, device);
  const DecodedBoxes decoded = make_lists(g.images, g.ranks, {g.images}, device);
  rpn_decode(g, gpu.views, best.values.pointer<const float>(),
             best.indices.pointer<const int32_t>(), image_sizes.pointer<const float>(), found.lists,
             decoded.lists, stream);
  return suppress(g, params.joint_levels ? join_levels(g, decoded, stream) : decoded, stream);
}

}  // namespace

Proposals rpn_proposals(const std::vector<RpnLevel>& levels, const Tensor& image_sizes,
                        const RpnProposalParams& params, Stream stream) {
  if (levels.size() > kMaxTopkLevels) {
    throw ShapeError(fmt::format("[{}] {} levels, but a GPU takes at most {}", kOp, levels.size(),
                                 kMaxTopkLevels));
  }
  Proposals result;
  const DType dtype = levels.empty() ? DType::kF32 : levels[0].logits.dtype();
  dispatch_cuda_float(kOp, dtype, [&](auto tag) {
    result = run_on_gpu<typename decltype(tag)::type>(levels, image_sizes, params, stream);
  });
  return result;
}

}  // namespace mrcnn::cuda
