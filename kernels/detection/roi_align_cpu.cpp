// f32: samples of a bin that share a row or column are merged first, which leaves few pixels per
// bin; their channel vectors are then added up in registers. f64: the definition, sample by sample.
#include "kernels/detection/roi_align.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "kernels/detection/roi_align_math.h"
#include "kernels/detection/weighted_pixels.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kGrain = 8;  // RoIs: about 100 microseconds at 7x7x256

// A RoI with its map; data is the RoI's image in the map.
template <typename T>
struct PlacedRoi {
  const T* data;
  int64_t height;
  int64_t width;
  AxisBins<T> rows;
  AxisBins<T> columns;
};

template <typename T>
PlacedRoi<T> place_roi(const RoiAlignParams& params, int64_t channels,
                       std::span<const FeatureMap<T>> maps, const float* roi) {
  const auto slot = static_cast<size_t>(
      map_of_roi(roi, params.canonical_scale, params.canonical_level,
                 map_level(params.scales.front()), static_cast<int64_t>(maps.size())));
  const FeatureMap<T>& map = maps[slot];
  const T scale = static_cast<T>(params.scales[slot]);
  const auto image = static_cast<int64_t>(roi[0]);
  return {map.data + image * map.height * map.width * channels, map.height, map.width,
          axis_bins(static_cast<T>(roi[2]), static_cast<T>(roi[4]), scale, params.aligned,
                    params.pooled_height, params.sampling_ratio),
          axis_bins(static_cast<T>(roi[1]), static_cast<T>(roi[3]), scale, params.aligned,
                    params.pooled_width, params.sampling_ratio)};
}

// Taps of all bins along one axis; bin b has taps[starts[b]..starts[b + 1]). Weights are divided
// by the number of samples.
struct AxisTaps {
  std::vector<RoiTap> taps;
  std::vector<size_t> starts;

  void build(const AxisBins<float>& bins, int64_t num_bins, int64_t size) {
    taps.clear();
    starts.assign(1, 0);
    for (int64_t b = 0; b < num_bins; ++b) {
      const size_t first = taps.size();
      taps.resize(first + 2 * static_cast<size_t>(bins.samples));
      taps.resize(first + static_cast<size_t>(bin_taps(bins, b, size, taps.data() + first)));
      starts.push_back(taps.size());
    }
  }
  std::span<const RoiTap> bin(int64_t b) const {
    const auto i = static_cast<size_t>(b);
    return std::span(taps).subspan(starts[i], starts[i + 1] - starts[i]);
  }
};

// What a thread reuses from RoI to RoI.
struct Scratch {
  AxisTaps rows;
  AxisTaps columns;
  std::vector<WeightedPixel> pixels;
};

void pool_roi(const RoiAlignParams& params, int64_t channels, const PlacedRoi<float>& roi,
              Scratch& scratch, float* output) {
  scratch.rows.build(roi.rows, params.pooled_height, roi.height);
  scratch.columns.build(roi.columns, params.pooled_width, roi.width);
  for (int64_t ph = 0; ph < params.pooled_height; ++ph) {
    for (int64_t pw = 0; pw < params.pooled_width; ++pw) {
      scratch.pixels.clear();
      for (const RoiTap& row : scratch.rows.bin(ph)) {
        for (const RoiTap& column : scratch.columns.bin(pw)) {
          scratch.pixels.push_back(
              {(row.index * roi.width + column.index) * channels, row.weight * column.weight});
        }
      }
      sum_pixels(roi.data, scratch.pixels, channels, output);
      output += channels;
    }
  }
}

void pool_roi(const RoiAlignParams& params, int64_t channels, const PlacedRoi<double>& roi,
              Scratch&, double* output) {
  const auto samples = static_cast<double>(roi.rows.samples * roi.columns.samples);
  for (int64_t ph = 0; ph < params.pooled_height; ++ph) {
    for (int64_t pw = 0; pw < params.pooled_width; ++pw, output += channels) {
      std::fill_n(output, channels, 0.0);
      for (int64_t i = 0; i < roi.rows.samples; ++i) {
        for (int64_t j = 0; j < roi.columns.samples; ++j) {
          const auto y = sample_axis(roi.rows.position(ph, i), roi.height);
          const auto x = sample_axis(roi.columns.position(pw, j), roi.width);
          const double* low = roi.data + y.low * roi.width * channels;
          const double* high = roi.data + y.high * roi.width * channels;
          for (int64_t c = 0; c < channels; ++c) {
            const double* l = low + c;
            const double* h = high + c;
            output[c] +=
                y.low_weight *
                    (x.low_weight * l[x.low * channels] + x.high_weight * l[x.high * channels]) +
                y.high_weight *
                    (x.low_weight * h[x.low * channels] + x.high_weight * h[x.high * channels]);
          }
        }
      }
      for (int64_t c = 0; samples > 0 && c < channels; ++c) output[c] /= samples;
    }
  }
}

template <typename T>
void pool_rois(const RoiAlignParams& params, int64_t channels, std::span<const FeatureMap<T>> maps,
               int64_t num_rois, const float* rois, T* output) {
  const int64_t size = params.pooled_height * params.pooled_width * channels;
  parallel_for(0, num_rois, kGrain, [&](int64_t begin, int64_t end) {
    Scratch scratch;
    for (int64_t r = begin; r < end; ++r) {
      const float* roi = rois + 5 * r;
      if (roi_is_used(roi, maps.front().images)) {
        pool_roi(params, channels, place_roi(params, channels, maps, roi), scratch,
                 output + r * size);
      } else {
        std::fill_n(output + r * size, size, T(0));
      }
    }
  });
}

}  // namespace

void roi_align(const RoiAlignParams& params, int64_t channels,
               std::span<const FeatureMap<float>> maps, int64_t num_rois, const float* rois,
               float* output) {
  pool_rois(params, channels, maps, num_rois, rois, output);
}

void roi_align(const RoiAlignParams& params, int64_t channels,
               std::span<const FeatureMap<double>> maps, int64_t num_rois, const float* rois,
               double* output) {
  pool_rois(params, channels, maps, num_rois, rois, output);
}

}  // namespace mrcnn::cpu
