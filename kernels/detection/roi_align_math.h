// Geometry of RoIAlign, shared by host and device. The bilinear weight of a sample is the product
// of a weight along y and one along x, also for samples outside the map, so each axis is treated
// alone.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.h"

namespace mrcnn {

// Adaptive sampling takes one sample per map pixel; beyond this many per bin and axis it stops.
inline constexpr int64_t kMaxSamplesPerBin = 4096;

// Two neighbouring rows (or columns) and their shares in a sample; outside the map both shares
// are 0.
template <typename T>
struct AxisSample {
  int64_t low;
  int64_t high;
  T low_weight;
  T high_weight;
};

// Samples up to one pixel outside count as lying on the border; NaN counts as outside.
template <typename T>
HOST_DEVICE inline AxisSample<T> sample_axis(T position, int64_t size) {
  if (!(position >= T(-1) && position <= static_cast<T>(size))) return {0, 0, T(0), T(0)};
  const T inside = position > T(0) ? position : T(0);
  const auto low = static_cast<int64_t>(inside);
  if (low >= size - 1) return {size - 1, size - 1, T(1), T(0)};
  const T share = inside - static_cast<T>(low);
  return {low, low + 1, T(1) - share, share};
}

// The bins of a RoI along one axis, in map pixels.
template <typename T>
struct AxisBins {
  T start;
  T bin;            // size of a bin
  int64_t samples;  // per bin

  HOST_DEVICE T position(int64_t index, int64_t sample) const {
    return start + static_cast<T>(index) * bin +
           (static_cast<T>(sample) + T(0.5)) * bin / static_cast<T>(samples);
  }
};

// low, high: edges of the RoI in image pixels. sampling_ratio <= 0: as many samples as a bin has
// pixels, rounded up.
template <typename T>
HOST_DEVICE inline AxisBins<T> axis_bins(T low, T high, T scale, bool aligned, int64_t pooled,
                                         int64_t sampling_ratio) {
  const T offset = aligned ? T(0.5) : T(0);
  const T start = low * scale - offset;
  T extent = high * scale - offset - start;
  if (!aligned && !(extent >= T(1))) extent = T(1);
  const T bin = extent / static_cast<T>(pooled);
  int64_t samples = sampling_ratio;
  if (sampling_ratio <= 0) {
    const T wanted = std::ceil(bin);
    samples = kMaxSamplesPerBin;
    if (wanted <= T(0)) {
      samples = 0;
    } else if (wanted < static_cast<T>(kMaxSamplesPerBin)) {
      samples = static_cast<int64_t>(wanted);
    }
  }
  return {start, bin, samples};
}

// A row (or column) of the map with its weight in a bin.
struct RoiTap {
  int32_t index;
  float weight;
};

// Adds `weight` to the tap of `index`, or a new tap; returns the new number of taps. Samples
// ascend, so a shared index is among the last two.
HOST_DEVICE inline int64_t add_tap(RoiTap* taps, int64_t count, int64_t index, float weight) {
  if (weight == 0.0F) return count;
  for (int64_t i = count - 1; i >= 0 && i + 2 >= count; --i) {
    if (taps[i].index == index) {
      taps[i].weight += weight;
      return count;
    }
  }
  taps[count] = {static_cast<int32_t>(index), weight};
  return count + 1;
}

// All rows (or columns) that bin `b` averages, of a map with `size` of them; weights are divided by
// the number of samples. `taps` has room for two per sample; returns how many there are.
HOST_DEVICE inline int64_t bin_taps(const AxisBins<float>& bins, int64_t b, int64_t size,
                                    RoiTap* taps) {
  int64_t count = 0;
  for (int64_t s = 0; s < bins.samples; ++s) {
    const AxisSample<float> sample = sample_axis(bins.position(b, s), size);
    count = add_tap(taps, count, sample.low, sample.low_weight);
    count = add_tap(taps, count, sample.high, sample.high_weight);
  }
  for (int64_t i = 0; i < count; ++i) taps[i].weight /= static_cast<float>(bins.samples);
  return count;
}

// roi: (image index, x1, y1, x2, y2). False for an unused row of a list, an image that does not
// exist, and coordinates that are no numbers.
HOST_DEVICE inline bool roi_is_used(const float* roi, int64_t images) {
  return roi[0] >= 0 && roi[0] < static_cast<float>(images) && std::floor(roi[0]) == roi[0] &&
         std::isfinite(roi[1]) && std::isfinite(roi[2]) && std::isfinite(roi[3]) &&
         std::isfinite(roi[4]);
}

// Source: Lin et al. 2017, "Feature Pyramid Networks", eq. 1; torchvision ops/poolers.py for the
// epsilon. Always in f32, as there. A RoI without positive area gets min_level.
HOST_DEVICE inline int64_t roi_level(const float* box, float canonical_scale,
                                     int64_t canonical_level, int64_t min_level,
                                     int64_t max_level) {
  const float size = std::sqrt((box[2] - box[0]) * (box[3] - box[1]));
  const float level =
      std::floor(static_cast<float>(canonical_level) + std::log2(size / canonical_scale) + 1e-6F);
  if (!(level > static_cast<float>(min_level))) return min_level;
  return level < static_cast<float>(max_level) ? static_cast<int64_t>(level) : max_level;
}

// Pyramid level of a feature map: 0 is the image's own size.
inline int64_t map_level(float scale) { return static_cast<int64_t>(-std::log2(scale)); }

// Which of the maps a RoI is pooled from; the finest has level min_level.
HOST_DEVICE inline int64_t map_of_roi(const float* roi, float canonical_scale,
                                      int64_t canonical_level, int64_t min_level,
                                      int64_t num_maps) {
  if (num_maps == 1) return 0;
  return roi_level(roi + 1, canonical_scale, canonical_level, min_level, min_level + num_maps - 1) -
         min_level;
}

// Rows (or columns) [begin, end) of a map.
struct RoiExtent {
  int64_t begin;
  int64_t end;
};

// What the samples of all bins can touch along an axis, and perhaps one row more at each end.
HOST_DEVICE inline RoiExtent roi_extent(float first, float last, int64_t size) {
  const float low = (first < last ? first : last) - 1;
  const float high = (first < last ? last : first) + 3;
  const auto limit = static_cast<float>(size);
  return {low > 0 ? static_cast<int64_t>(low < limit ? low : limit) : 0,
          high < limit ? static_cast<int64_t>(high > 0 ? high : 0) : size};
}

}  // namespace mrcnn
