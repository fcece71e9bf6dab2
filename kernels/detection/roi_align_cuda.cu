// A block pools some bins of one RoI. It first works out which rows and columns of the map each bin
// averages, with their weights, once for all channels and merged like on the CPU; then a thread
// adds up 16 bytes of channels at a time, so that with 256 channels of bf16 a warp is a bin.
#include <algorithm>

#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/detection/roi_align.h"
#include "kernels/detection/roi_align_math.h"

namespace mrcnn::cuda {
namespace {

// 7 warps: 7x7 and 14x14 bins divide evenly.
constexpr int kBlock = 224;
// Four for each of 132 SMs. Fewer RoIs than this are cut into parts of several bins.
constexpr int64_t kWantedBlocks = 528;
// A bin with more samples per axis is pooled sample by sample: only adaptive sampling of RoIs that
// cover more than 56 pixels of a map has them.
constexpr int64_t kMaxTableSamples = 8;
constexpr int64_t kMaxTableBytes = 48 * 1024;  // what a block has without asking for more

template <typename T>
struct LevelMap {
  const T* data;
  int32_t height;
  int32_t width;
  float scale;
};

template <typename T>
struct RoiAlignGeometry {
  LevelMap<T> maps[kMaxRoiAlignMaps];
  int32_t num_maps;
  int32_t min_level;
  int64_t images;
  float canonical_scale;
  int64_t canonical_level;
  int64_t sampling_ratio;
  bool aligned;
  int32_t pooled_height;
  int32_t pooled_width;
  int32_t channels;
  int32_t bins_per_block;
  int32_t taps_per_bin;  // room in the tables, 0: no tables
};

// A RoI in its map. Without samples it is all zeros.
template <typename T>
struct PlacedRoi {
  const T* data;  // the RoI's image
  int32_t height;
  int32_t width;
  AxisBins<float> rows;
  AxisBins<float> columns;
};

template <typename T>
__device__ PlacedRoi<T> place_roi(const RoiAlignGeometry<T>& geometry, const float* roi) {
  const bool is_used = roi_is_used(roi, geometry.images);
  const int64_t slot = map_of_roi(roi, geometry.canonical_scale, geometry.canonical_level,
                                  geometry.min_level, geometry.num_maps);
  const LevelMap<T>& map = geometry.maps[slot];
  const int64_t image = is_used ? static_cast<int64_t>(roi[0]) : 0;
  PlacedRoi<T> placed{map.data + image * map.height * map.width * geometry.channels, map.height,
                      map.width,
                      axis_bins(roi[2], roi[4], map.scale, geometry.aligned, geometry.pooled_height,
                                geometry.sampling_ratio),
                      axis_bins(roi[1], roi[3], map.scale, geometry.aligned, geometry.pooled_width,
                                geometry.sampling_ratio)};
  if (!is_used) {
    placed.rows.samples = 0;
    placed.columns.samples = 0;
  }
  return placed;
}

// f32 rounds the product like the CPU.
template <typename T, int kWidth>
__device__ __forceinline__ void add_pixel(Pack<kWidth>& sum, float weight,
                                          const Pack<kWidth>& pixel) {
#pragma unroll
  for (int i = 0; i < kWidth; ++i) {
    if constexpr (sizeof(T) == 4) {
      sum.values[i] += weight * pixel.values[i];
    } else {
      sum.values[i] = fmaf(weight, pixel.values[i], sum.values[i]);
    }
  }
}

// The rows (or columns) of one bin in the tables.
struct BinTaps {
  const RoiTap* taps;
  int32_t count;
};

// data: the RoI's image, from the thread's first channel on. Pixels come in fours, so that their
// loads wait together; 2x2 samples need 2 to 4 columns.
template <int kWidth, typename T>
__device__ Pack<kWidth> pool_taps(const T* data, int64_t width, int32_t channels, BinTaps rows,
                                  BinTaps columns) {
  constexpr int kAtOnce = 4;
  Pack<kWidth> sum{};
  for (int32_t r = 0; r < rows.count; ++r) {
    const float row_weight = rows.taps[r].weight;
    const T* row = data + rows.taps[r].index * width * channels;
    for (int32_t c = 0; c < columns.count; c += kAtOnce) {
      Pack<kWidth> pixels[kAtOnce];
      float weights[kAtOnce];
#pragma unroll
      for (int k = 0; k < kAtOnce; ++k) {
        const RoiTap column = columns.taps[min(c + k, columns.count - 1)];
        weights[k] = row_weight * column.weight;
        pixels[k] = load_pack<kWidth>(row + static_cast<int64_t>(column.index) * channels);
      }
#pragma unroll
      for (int k = 0; k < kAtOnce; ++k) {
        if (c + k < columns.count) add_pixel<T>(sum, weights[k], pixels[k]);
      }
    }
  }
  return sum;
}

// Places the RoI anew, which is cheaper than to keep its bins in registers for this rare case.
template <int kWidth, typename T>
__device__ Pack<kWidth> pool_samples(const RoiAlignGeometry<T>& geometry, const float* corners,
                                     int32_t bin_row, int32_t bin_column, int32_t channel) {
  const PlacedRoi<T> roi = place_roi(geometry, corners);
  const T* data = roi.data + channel;
  const int32_t channels = geometry.channels;
  Pack<kWidth> sum{};
  const auto add = [&](int64_t y, int64_t x, float weight) {
    if (weight == 0.0F) return;
    add_pixel<T>(sum, weight, load_pack<kWidth>(data + (y * roi.width + x) * channels));
  };
  for (int64_t i = 0; i < roi.rows.samples; ++i) {
    const AxisSample<float> y = sample_axis(roi.rows.position(bin_row, i), roi.height);
    if (y.low_weight == 0.0F && y.high_weight == 0.0F) continue;  // outside the map
    for (int64_t j = 0; j < roi.columns.samples; ++j) {
      const AxisSample<float> x = sample_axis(roi.columns.position(bin_column, j), roi.width);
      add(y.low, x.low, y.low_weight * x.low_weight);
      add(y.low, x.high, y.low_weight * x.high_weight);
      add(y.high, x.low, y.high_weight * x.low_weight);
      add(y.high, x.high, y.high_weight * x.high_weight);
    }
  }
  const auto samples = static_cast<float>(roi.rows.samples * roi.columns.samples);
#pragma unroll
  for (int i = 0; i < kWidth; ++i) sum.values[i] = samples > 0 ? sum.values[i] / samples : 0.0F;
  return sum;
}

// Block (r, part): bins part * bins_per_block.. of RoI r.
// Shared: RoiTap [pooled_height + pooled_width, taps_per_bin], then int32 counts of the same bins:
// rows first, then columns.
template <int kWidth, typename T>
__global__ void __launch_bounds__(kBlock)
    roi_align_kernel(const __grid_constant__ RoiAlignGeometry<T> geometry,
                     const float* __restrict__ rois, T* __restrict__ output) {
  RoiTap* tables = dynamic_shared_memory<RoiTap>();
  const int32_t room = geometry.taps_per_bin;
  const int32_t table_bins = geometry.pooled_height + geometry.pooled_width;
  auto* counts = reinterpret_cast<int32_t*>(tables + table_bins * room);

  const float* corners = rois + static_cast<int64_t>(blockIdx.x) * 5;
  const PlacedRoi<T> roi = place_roi(geometry, corners);
  const int64_t samples =
      roi.rows.samples > roi.columns.samples ? roi.rows.samples : roi.columns.samples;
  const bool has_tables = room > 0 && 2 * samples <= room;
  if (has_tables) {
    for (int32_t b = static_cast<int32_t>(threadIdx.x); b < table_bins; b += kBlock) {
      RoiTap* taps = tables + b * room;
      const int64_t count =
          b < geometry.pooled_height
              ? bin_taps(roi.rows, b, roi.height, taps)
              : bin_taps(roi.columns, b - geometry.pooled_height, roi.width, taps);
      counts[b] = static_cast<int32_t>(count);
    }
  }
  __syncthreads();

  const int32_t channels = geometry.channels;
  const int32_t packs = channels / kWidth;
  const int32_t bins = geometry.pooled_height * geometry.pooled_width;
  const int32_t first_bin = static_cast<int32_t>(blockIdx.y) * geometry.bins_per_block;
  const int32_t end_bin = min(first_bin + geometry.bins_per_block, bins);
  T* roi_output = output + static_cast<int64_t>(blockIdx.x) * bins * channels;
  for (int64_t i = first_bin * packs + static_cast<int64_t>(threadIdx.x); i < end_bin * packs;
       i += kBlock) {
    const auto item = static_cast<int32_t>(i);
    const int32_t bin = item / packs;
    const int32_t row = bin / geometry.pooled_width;
    const int32_t column = bin - row * geometry.pooled_width;
    const int32_t channel = (item - bin * packs) * kWidth;
    Pack<kWidth> pooled;
    if (has_tables) {
      const int32_t column_bin = geometry.pooled_height + column;
      pooled = pool_taps<kWidth>(roi.data + channel, roi.width, channels,
                                 {tables + row * room, counts[row]},
                                 {tables + column_bin * room, counts[column_bin]});
    } else {
      pooled = pool_samples<kWidth>(geometry, corners, row, column, channel);
    }
    store_pack<kWidth>(roi_output + i * kWidth, pooled);
  }
}

template <typename T>
RoiAlignGeometry<T> make_geometry(const RoiAlignParams& params, int64_t channels,
                                  std::span<const FeatureMap<T>> maps) {
  RoiAlignGeometry<T> geometry{.maps = {},
                               .num_maps = static_cast<int32_t>(maps.size()),
                               .min_level = static_cast<int32_t>(map_level(params.scales.front())),
                               .images = maps.front().images,
                               .canonical_scale = params.canonical_scale,
                               .canonical_level = params.canonical_level,
                               .sampling_ratio = params.sampling_ratio,
                               .aligned = params.aligned,
                               .pooled_height = static_cast<int32_t>(params.pooled_height),
                               .pooled_width = static_cast<int32_t>(params.pooled_width),
                               .channels = static_cast<int32_t>(channels),
                               .bins_per_block = 0,
                               .taps_per_bin = 0};
  for (size_t i = 0; i < maps.size(); ++i) {
    geometry.maps[i] = {maps[i].data, static_cast<int32_t>(maps[i].height),
                        static_cast<int32_t>(maps[i].width), params.scales[i]};
  }
  return geometry;
}

template <typename T>
void pool_rois(const RoiAlignParams& params, int64_t channels, std::span<const FeatureMap<T>> maps,
               int64_t num_rois, const float* rois, T* output, Stream stream) {
  if (num_rois == 0 || channels == 0) return;
  RoiAlignGeometry<T> geometry = make_geometry(params, channels, maps);

  const int64_t table_bins = params.pooled_height + params.pooled_width;
  const int64_t samples = params.sampling_ratio > 0 ? params.sampling_ratio : kMaxTableSamples;
  int64_t table_bytes =
      table_bins * (2 * samples * static_cast<int64_t>(sizeof(RoiTap)) + sizeof(int32_t));
  if (samples <= kMaxTableSamples && table_bytes <= kMaxTableBytes) {
    geometry.taps_per_bin = static_cast<int32_t>(2 * samples);
  } else {
    table_bytes = 0;
  }

  with_pack_width<T>(channels, [&](auto width) {
    constexpr int kWidth = width();
    const int64_t bins = params.pooled_height * params.pooled_width;
    const int64_t most_parts = (bins * (channels / kWidth) + kBlock - 1) / kBlock;
    const int64_t wanted_parts = (kWantedBlocks + num_rois - 1) / num_rois;
    const int64_t bound = std::min(most_parts, wanted_parts);
    const int64_t bins_per_block = (bins + bound - 1) / bound;
    geometry.bins_per_block = static_cast<int32_t>(bins_per_block);
    const int64_t parts = (bins + bins_per_block - 1) / bins_per_block;
    launch("roi_align", roi_align_kernel<kWidth, T>,
           {.grid = dim3(static_cast<unsigned>(num_rois), static_cast<unsigned>(parts)),
            .block = dim3(kBlock),
            .shared_bytes = static_cast<size_t>(table_bytes),
            .stream = stream},
           geometry, rois, output);
  });
}

}  // namespace

void roi_align(const RoiAlignParams& params, int64_t channels,
               std::span<const FeatureMap<float>> maps, int64_t num_rois, const float* rois,
               float* output, Stream stream) {
  pool_rois(params, channels, maps, num_rois, rois, output, stream);
}

void roi_align(const RoiAlignParams& params, int64_t channels,
               std::span<const FeatureMap<BFloat16>> maps, int64_t num_rois, const float* rois,
               BFloat16* output, Stream stream) {
  pool_rois(params, channels, maps, num_rois, rois, output, stream);
}

}  // namespace mrcnn::cuda
