// A warp makes one column of a target, 32 rows at a time, a lane per row. All lanes walk the same
// runs of the same columns of the photo; each adds what lies in its bin.
#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/detection/mask_targets.h"
#include "kernels/detection/mask_targets_math.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 128;  // 4 columns: 128 RoIs of 28 columns give 896 blocks

// What one column of the photo adds to the lane's bin.
struct Profile {
  int64_t column;
  float sum;
};

// The lane's bin of rows.
struct LaneBin {
  int64_t index;
  RowBin bin;
};

__device__ LaneBin lane_bin(const MaskRoi& roi, int64_t index) {
  LaneBin result{index, RowBin{}};
  for (int64_t i = 0; i < roi.rows.samples; ++i) {
    result.bin = with_sample(result.bin, row_sample(roi, index, i));
  }
  return result;
}

// A difference of sums, as on the CPU, where these are a table.
__device__ float inside(const MaskRoi& roi, const LaneBin& own, RowRange range) {
  if (own.bin.is_within(range)) return own.bin.total;
  float above_end = 0;
  float above_begin = 0;
  for (int64_t i = 0; i < roi.rows.samples; ++i) {
    const RowSample sample = row_sample(roi, own.index, i);
    above_end += sample.above(range.end);
    above_begin += sample.above(range.begin);
  }
  return above_end - above_begin;
}

__device__ Profile make_profile(const MaskTargetView& view, const MaskRoi& roi, const LaneBin& own,
                                int64_t column) {
  Profile profile{column, 0.0F};
  ColumnRuns runs(view.ends, roi, column);
  for (RowRange range = runs.next(); range.end > range.begin; range = runs.next()) {
    if (own.bin.touches(range)) profile.sum += inside(roi, own, range);
  }
  return profile;
}

// Column pw of the target, at the lane's row.
__device__ float sample_column(const MaskTargetView& view, const MaskRoi& roi, const LaneBin& own,
                               int64_t pw) {
  Profile newer{-1, 0.0F};
  Profile older{-1, 0.0F};
  const auto ask = [&](int64_t column) {
    if (newer.column != column) {
      const Profile other = older;
      older = newer;
      newer = other.column == column ? other : make_profile(view, roi, own, column);
    }
    return newer.sum;
  };
  float sum = 0;
  for (int64_t j = 0; j < roi.columns.samples; ++j) {
    const AxisSample<float> x = sample_axis(roi.columns.position(pw, j), roi.image.visible_width);
    if (x.low_weight == 0.0F && x.high_weight == 0.0F) continue;
    const float low = ask(roi.image.photo_column(x.low));
    const float high = ask(roi.image.photo_column(x.high));
    sum += x.low_weight * low + x.high_weight * high;
  }
  return sum / roi.samples();
}

__global__ void __launch_bounds__(kBlock)
    mask_targets_kernel(MaskTargetView view, float* __restrict__ output) {
  const int64_t lane = threadIdx.x % kWarp;
  const int64_t groups = (view.size + kWarp - 1) / kWarp;
  const int64_t total = view.count * view.size * groups;
  for (int64_t i = first_item() / kWarp; i < total; i += item_stride() / kWarp) {
    const int64_t pw = i / groups % view.size;
    const int64_t ph = i % groups * kWarp + lane;
    if (ph >= view.size) continue;
    const int64_t index = i / groups / view.size;
    const MaskRoi roi = mask_roi(view, index);
    float value = 0;
    if (roi.used) value = sample_column(view, roi, lane_bin(roi, ph), pw);
    output[(index * view.size + ph) * view.size + pw] = value;
  }
}

}  // namespace

void mask_targets(const MaskTargetView& view, float* output, Stream stream) {
  const int64_t groups = (view.size + kWarp - 1) / kWarp;
  const int64_t total = view.count * view.size * groups;
  if (total == 0) return;
  launch("mask_targets", mask_targets_kernel,
         {.grid = blocks_for(total, kBlock / kWarp), .block = dim3(kBlock), .stream = stream}, view,
         output);
}

}  // namespace mrcnn::cuda
