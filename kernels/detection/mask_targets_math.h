// From RoIs to pixels of the photo and the runs that cover them, shared by host and device.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.h"
#include "kernels/detection/mask_targets.h"
#include "kernels/detection/roi_align_math.h"

namespace mrcnn {

// Source of pixel `index` of a side resized from `input` to `output` pixels.
// Source: torch nn.functional.interpolate, mode "nearest", which computes in f32.
HOST_DEVICE inline int64_t nearest_pixel(int64_t index, int64_t input, int64_t output) {
  const float scale = static_cast<float>(input) / static_cast<float>(output);
  const auto source = static_cast<int64_t>(std::floor(static_cast<float>(index) * scale));
  return source < input - 1 ? source : input - 1;
}

// How the network's input image came from the photo.
struct MaskImage {
  int64_t height;
  int64_t width;
  int64_t resized_height;
  int64_t resized_width;
  int64_t visible_height;
  int64_t visible_width;
  int64_t crop_top;
  int64_t crop_left;
  bool flip;

  HOST_DEVICE int64_t photo_row(int64_t y) const {
    return nearest_pixel(y + crop_top, height, resized_height);
  }
  HOST_DEVICE int64_t photo_column(int64_t x) const {
    const int64_t column = nearest_pixel(x + crop_left, width, resized_width);
    return flip ? width - 1 - column : column;
  }
};

HOST_DEVICE inline MaskImage mask_image(const int32_t* g) {
  return {g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8] != 0};
}

// A RoI with the runs of its object.
struct MaskRoi {
  bool used;
  MaskImage image;
  AxisBins<float> rows;
  AxisBins<float> columns;
  int64_t first_run;
  int64_t end_run;

  HOST_DEVICE float samples() const { return static_cast<float>(rows.samples * columns.samples); }
};

HOST_DEVICE inline MaskRoi mask_roi(const MaskTargetView& view, int64_t index) {
  const float* roi = view.rois + 5 * index;
  const int64_t object = view.matched_gt[index];
  MaskRoi result{};
  result.used = roi_is_used(roi, view.images) && object >= 0 && object < view.objects;
  if (!result.used) return result;
  const auto n = static_cast<int64_t>(roi[0]);
  result.image = mask_image(view.geometry + n * kMaskImageFields);
  result.rows = axis_bins(roi[2], roi[4], 1.0F, false, view.size, 0);
  result.columns = axis_bins(roi[1], roi[3], 1.0F, false, view.size, 0);
  result.first_run = view.offsets[n * view.objects + object];
  result.end_run = view.offsets[n * view.objects + object + 1];
  return result;
}

// Rows [begin, end) of a column of the photo.
struct RowRange {
  int64_t begin;
  int64_t end;

  HOST_DEVICE bool has(int64_t row) const { return row >= begin && row < end; }
};

// The stretches of one column that are in the mask, from the top.
class ColumnRuns {
 public:
  HOST_DEVICE ColumnRuns(const int32_t* ends, const MaskRoi& roi, int64_t column)
      : ends_(ends),
        first_(roi.first_run),
        end_(roi.end_run),
        height_(roi.image.height),
        start_(column * roi.image.height) {
    int64_t low = first_;
    int64_t high = end_;
    while (low < high) {  // the first run that ends past the column's start
      const int64_t middle = (low + high) / 2;
      if (ends[middle] > start_) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    // Odd runs of a mask are foreground.
    run_ = (low - first_) % 2 == 1 ? low : low + 1;
  }

  // Empty past the last one.
  HOST_DEVICE RowRange next() {
    for (; run_ < end_; run_ += 2) {
      const int64_t begin = ends_[run_ - 1] - start_;
      const int64_t end = ends_[run_] - start_;
      if (begin >= height_) break;
      if (end > begin) {
        run_ += 2;
        return {begin > 0 ? begin : 0, end < height_ ? end : height_};
      }
    }
    return {0, 0};
  }

 private:
  const int32_t* ends_;
  int64_t first_;
  int64_t end_;
  int64_t height_;
  int64_t start_;
  int64_t run_;
};

// A sample of a bin of rows, in rows of the photo.
struct RowSample {
  int64_t low;
  int64_t high;
  float low_weight;
  float high_weight;

  // What it adds to the weights above `row`.
  HOST_DEVICE float above(int64_t row) const {
    return (low < row ? low_weight : 0.0F) + (high < row ? high_weight : 0.0F);
  }
};

HOST_DEVICE inline RowSample row_sample(const MaskRoi& roi, int64_t bin, int64_t sample) {
  const AxisSample<float> at =
      sample_axis(roi.rows.position(bin, sample), roi.image.visible_height);
  return {roi.image.photo_row(at.low), roi.image.photo_row(at.high), at.low_weight, at.high_weight};
}

// The rows of the photo in which a bin's samples have weight, and the sum of their weights. Later
// bins have later rows.
struct RowBin {
  int64_t lowest = INT64_MAX;
  int64_t highest = -1;
  float total = 0;

  HOST_DEVICE bool touches(RowRange range) const {
    return highest >= range.begin && lowest < range.end;
  }
  HOST_DEVICE bool is_within(RowRange range) const {
    return lowest >= range.begin && highest < range.end;
  }
};

HOST_DEVICE inline RowBin with_sample(RowBin bin, const RowSample& sample) {
  if (sample.low_weight != 0.0F) {
    bin.lowest = sample.low < bin.lowest ? sample.low : bin.lowest;
    bin.highest = sample.low > bin.highest ? sample.low : bin.highest;
  }
  if (sample.high_weight != 0.0F) {
    bin.lowest = sample.high < bin.lowest ? sample.high : bin.lowest;
    bin.highest = sample.high > bin.highest ? sample.high : bin.highest;
  }
  bin.total += sample.low_weight + sample.high_weight;
  return bin;
}

}  // namespace mrcnn
