// Maps are cut into bands of rows. A band walks the RoIs of its image and level in their order. f32
// turns a RoI's taps around, into the bins that sample each row and column, and adds to a pixel the
// sum over its bins, made in registers. f64 is the definition, sample by sample.
#include "kernels/detection/roi_align_backward.h"

#include <algorithm>
#include <vector>

#include "core/parallel.h"
#include "kernels/detection/roi_align_math.h"
#include "kernels/detection/weighted_pixels.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kBandRows = 8;

// Rows [first, end) of an image of a map; data is that image.
template <typename T>
struct Band {
  T* data;
  int64_t height;
  int64_t width;
  int64_t first;
  int64_t end;
  size_t bucket;  // of RoIs
};

template <typename T>
struct BandRoi {
  int64_t index;
  AxisBins<T> rows;
  AxisBins<T> columns;
  RoiExtent extent;  // rows of the map

  bool touches(const Band<T>& band) const {
    return extent.begin < band.end && extent.end > band.first;
  }
};

// Rows (or columns) of a map from `first` on, and for each the bins that sample it, ascending.
class AxisBinLists {
 public:
  // Only taps in [first, end) of the map's `size`.
  void build(const AxisBins<float>& bins, int64_t num_bins, int64_t size, int64_t first,
             int64_t end) {
    first_ = first;
    const auto count = static_cast<size_t>(std::max<int64_t>(end - first, 0));
    if (lists_.size() < count) lists_.resize(count);
    count_ = count;
    for (size_t i = 0; i < count; ++i) lists_[i].clear();
    taps_.resize(2 * static_cast<size_t>(std::max<int64_t>(bins.samples, 0)));
    for (int64_t b = 0; b < num_bins; ++b) {
      const int64_t num_taps = bin_taps(bins, b, size, taps_.data());
      for (int64_t i = 0; i < num_taps; ++i) {
        const RoiTap& tap = taps_[static_cast<size_t>(i)];
        if (tap.index >= first && tap.index < end) {
          lists_[static_cast<size_t>(tap.index - first)].push_back(
              {static_cast<int32_t>(b), tap.weight});
        }
      }
    }
  }

  int64_t first() const { return first_; }
  int64_t end() const { return first_ + static_cast<int64_t>(count_); }
  // RoiTap::index is the bin.
  std::span<const RoiTap> at(int64_t index) const {
    return lists_[static_cast<size_t>(index - first_)];
  }

 private:
  int64_t first_ = 0;
  size_t count_ = 0;
  std::vector<std::vector<RoiTap>> lists_;
  std::vector<RoiTap> taps_;  // of one bin
};

// What a thread reuses from RoI to RoI.
struct Scratch {
  AxisBinLists rows;
  AxisBinLists columns;
  std::vector<WeightedPixel> bins;
};

template <typename T>
RoiExtent extent_of(const AxisBins<T>& bins, int64_t num_bins, int64_t size) {
  if (bins.samples <= 0) return {0, 0};
  return roi_extent(static_cast<float>(bins.position(0, 0)),
                    static_cast<float>(bins.position(num_bins - 1, bins.samples - 1)), size);
}

// grad: the RoI's [PH, PW, channels]
void add_roi(const RoiAlignParams& params, int64_t channels, const BandRoi<float>& roi,
             const float* grad, const Band<float>& band, Scratch& scratch) {
  const RoiExtent columns = extent_of(roi.columns, params.pooled_width, band.width);
  scratch.rows.build(roi.rows, params.pooled_height, band.height,
                     std::max(band.first, roi.extent.begin), std::min(band.end, roi.extent.end));
  scratch.columns.build(roi.columns, params.pooled_width, band.width, columns.begin, columns.end);
  for (int64_t y = scratch.rows.first(); y < scratch.rows.end(); ++y) {
    if (scratch.rows.at(y).empty()) continue;
    for (int64_t x = scratch.columns.first(); x < scratch.columns.end(); ++x) {
      if (scratch.columns.at(x).empty()) continue;
      scratch.bins.clear();
      for (const RoiTap& row : scratch.rows.at(y)) {
        for (const RoiTap& column : scratch.columns.at(x)) {
          scratch.bins.push_back({(row.index * params.pooled_width + column.index) * channels,
                                  row.weight * column.weight});
        }
      }
      add_pixels(grad, scratch.bins, channels, band.data + (y * band.width + x) * channels);
    }
  }
}

// values[c] += weight * grad[c]
void add_scaled(const double* grad, double weight, int64_t channels, double* values) {
  for (int64_t c = 0; c < channels; ++c) values[c] += weight * grad[c];
}

void add_roi(const RoiAlignParams& params, int64_t channels, const BandRoi<double>& roi,
             const double* grad, const Band<double>& band, Scratch&) {
  const auto samples = static_cast<double>(roi.rows.samples * roi.columns.samples);
  const auto add = [&](int64_t y, int64_t x, double weight, const double* bin) {
    if (y < band.first || y >= band.end || weight == 0) return;
    add_scaled(bin, weight / samples, channels, band.data + (y * band.width + x) * channels);
  };
  for (int64_t ph = 0; ph < params.pooled_height; ++ph) {
    for (int64_t pw = 0; pw < params.pooled_width; ++pw, grad += channels) {
      for (int64_t i = 0; i < roi.rows.samples; ++i) {
        const auto y = sample_axis(roi.rows.position(ph, i), band.height);
        for (int64_t j = 0; j < roi.columns.samples; ++j) {
          const auto x = sample_axis(roi.columns.position(pw, j), band.width);
          add(y.low, x.low, y.low_weight * x.low_weight, grad);
          add(y.low, x.high, y.low_weight * x.high_weight, grad);
          add(y.high, x.low, y.high_weight * x.low_weight, grad);
          add(y.high, x.high, y.high_weight * x.high_weight, grad);
        }
      }
    }
  }
}

// The RoIs of each image of each map, in their order: bucket map * images + image.
template <typename T>
std::vector<std::vector<BandRoi<T>>> bucket_rois(const RoiAlignParams& params,
                                                 std::span<const GradMap<T>> maps, int64_t num_rois,
                                                 const float* rois) {
  const int64_t images = maps.front().images;
  const auto num_maps = static_cast<int64_t>(maps.size());
  const int64_t min_level = map_level(params.scales.front());
  std::vector<std::vector<BandRoi<T>>> buckets(static_cast<size_t>(num_maps * images));
  for (int64_t r = 0; r < num_rois; ++r) {
    const float* roi = rois + 5 * r;
    if (!roi_is_used(roi, images)) continue;
    const int64_t slot =
        map_of_roi(roi, params.canonical_scale, params.canonical_level, min_level, num_maps);
    const T scale = static_cast<T>(params.scales[static_cast<size_t>(slot)]);
    const auto rows = axis_bins(static_cast<T>(roi[2]), static_cast<T>(roi[4]), scale,
                                params.aligned, params.pooled_height, params.sampling_ratio);
    const auto columns = axis_bins(static_cast<T>(roi[1]), static_cast<T>(roi[3]), scale,
                                   params.aligned, params.pooled_width, params.sampling_ratio);
    const int64_t height = maps[static_cast<size_t>(slot)].height;
    buckets[static_cast<size_t>(slot * images + static_cast<int64_t>(roi[0]))].push_back(
        {r, rows, columns, extent_of(rows, params.pooled_height, height)});
  }
  return buckets;
}

template <typename T>
std::vector<Band<T>> cut_into_bands(int64_t channels, std::span<const GradMap<T>> maps) {
  std::vector<Band<T>> bands;
  size_t bucket = 0;
  for (const GradMap<T>& map : maps) {
    for (int64_t image = 0; image < map.images; ++image, ++bucket) {
      if (map.data == nullptr) continue;
      T* data = map.data + image * map.height * map.width * channels;
      for (int64_t first = 0; first < map.height; first += kBandRows) {
        bands.push_back(
            {data, map.height, map.width, first, std::min(first + kBandRows, map.height), bucket});
      }
    }
  }
  return bands;
}

template <typename T>
void gather(const RoiAlignParams& params, int64_t channels, std::span<const GradMap<T>> maps,
            int64_t num_rois, const float* rois, const T* grad_output) {
  const auto buckets = bucket_rois(params, maps, num_rois, rois);
  const auto bands = cut_into_bands(channels, maps);
  const int64_t size = params.pooled_height * params.pooled_width * channels;
  parallel_for(0, static_cast<int64_t>(bands.size()), 1, [&](int64_t begin, int64_t end) {
    Scratch scratch;
    for (int64_t i = begin; i < end; ++i) {
      const Band<T>& band = bands[static_cast<size_t>(i)];
      const int64_t row = band.width * channels;
      std::fill(band.data + band.first * row, band.data + band.end * row, T(0));
      for (const BandRoi<T>& roi : buckets[band.bucket]) {
        if (!roi.touches(band)) continue;
        add_roi(params, channels, roi, grad_output + roi.index * size, band, scratch);
      }
    }
  });
}

}  // namespace

void roi_align_backward(const RoiAlignParams& params, int64_t channels,
                        std::span<const GradMap<float>> maps, int64_t num_rois, const float* rois,
                        const float* grad_output) {
  gather(params, channels, maps, num_rois, rois, grad_output);
}

void roi_align_backward(const RoiAlignParams& params, int64_t channels,
                        std::span<const GradMap<double>> maps, int64_t num_rois, const float* rois,
                        const double* grad_output) {
  gather(params, channels, maps, num_rois, rois, grad_output);
}

}  // namespace mrcnn::cpu
