// First every RoI's map and the rectangle that it touches are noted. Then a block gathers the
// gradient of a small tile of a map: it lists the RoIs that touch the tile, in their order, works
// out for each how much every bin takes of the tile's rows and columns, and its threads add up 16
// bytes of channels of a few pixels each, in registers.
#include "core/cuda/device_math.cuh"
#include "core/cuda/division.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/detection/block_scan.cuh"
#include "kernels/detection/roi_align_backward.h"
#include "kernels/detection/roi_align_math.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;
constexpr int kBlocksPerSm =
    2;  // at least: up to 128 registers a thread, so that no sum is spilled
// With 256 channels of bf16 a warp works on one pixel, and a thread on 4 of the tile's.
constexpr int kTileRows = 4;
constexpr int kTileColumns = 8;
constexpr int kTilePixels = kTileRows * kTileColumns;

// Sums that a thread keeps in registers.
template <int kWidth>
inline constexpr int kItems = kWidth == 1 ? 8 : 32 / kWidth;

template <typename T>
struct LevelGrad {
  T* data;  // null: not wanted
  int32_t height;
  int32_t width;
  float scale;
  int32_t tile_columns;
  int64_t tiles;  // of all images
};

template <typename T>
struct Geometry {
  LevelGrad<T> maps[kMaxRoiAlignMaps];
  int32_t num_maps;
  int64_t min_level;
  int64_t images;
  float canonical_scale;
  int64_t canonical_level;
  int64_t sampling_ratio;
  bool aligned;
  int32_t pooled_height;
  int32_t pooled_width;
  int32_t channels;
  int64_t num_rois;
};

template <typename T>
__device__ AxisBins<float> bins_of_rows(const Geometry<T>& g, const float* roi, float scale) {
  return axis_bins(roi[2], roi[4], scale, g.aligned, g.pooled_height, g.sampling_ratio);
}

template <typename T>
__device__ AxisBins<float> bins_of_columns(const Geometry<T>& g, const float* roi, float scale) {
  return axis_bins(roi[1], roi[3], scale, g.aligned, g.pooled_width, g.sampling_ratio);
}

__device__ RoiExtent extent_of(const AxisBins<float>& bins, int64_t num_bins, int64_t size) {
  if (bins.samples <= 0) return {0, 0};
  return roi_extent(bins.position(0, 0), bins.position(num_bins - 1, bins.samples - 1), size);
}

template <typename T>
__global__ void roi_align_bounds_kernel(const __grid_constant__ Geometry<T> g,
                                        const float* __restrict__ rois,
                                        RoiBounds* __restrict__ bounds) {
  for (int64_t r = first_item(); r < g.num_rois; r += item_stride()) {
    const float* roi = rois + 5 * r;
    RoiBounds own{.map = -1};
    if (roi_is_used(roi, g.images)) {
      const int64_t slot =
          map_of_roi(roi, g.canonical_scale, g.canonical_level, g.min_level, g.num_maps);
      const LevelGrad<T>& map = g.maps[slot];
      const RoiExtent rows =
          extent_of(bins_of_rows(g, roi, map.scale), g.pooled_height, map.height);
      const RoiExtent columns =
          extent_of(bins_of_columns(g, roi, map.scale), g.pooled_width, map.width);
      own = {.map = static_cast<int32_t>(slot),
             .image = static_cast<int32_t>(roi[0]),
             .first_row = static_cast<int32_t>(rows.begin),
             .end_row = static_cast<int32_t>(rows.end),
             .first_column = static_cast<int32_t>(columns.begin),
             .end_column = static_cast<int32_t>(columns.end)};
    }
    bounds[r] = own;
  }
}

// A block's part of a map.
struct Tile {
  int32_t map;
  int32_t image;
  int32_t first_row;
  int32_t first_column;
};

template <typename T>
__device__ Tile tile_of_block(const Geometry<T>& g) {
  int64_t block = blockIdx.x;
  int32_t map = 0;
  while (block >= g.maps[map].tiles) block -= g.maps[map++].tiles;
  const int64_t per_image = g.maps[map].tiles / g.images;
  const auto image = static_cast<int32_t>(block / per_image);
  const auto tile = static_cast<int32_t>(block % per_image);
  const int32_t columns = g.maps[map].tile_columns;
  return {map, image, tile / columns * kTileRows, tile % columns * kTileColumns};
}

__device__ bool touches(const RoiBounds& bounds, const Tile& tile) {
  return bounds.map == tile.map && bounds.image == tile.image &&
         bounds.first_row < tile.first_row + kTileRows && bounds.end_row > tile.first_row &&
         bounds.first_column < tile.first_column + kTileColumns &&
         bounds.end_column > tile.first_column;
}

// How much bin `bin` takes of row (or column) `index`; the sum of bin_taps.
__device__ float tap_weight(const AxisBins<float>& bins, int64_t bin, int64_t index, int64_t size) {
  float weight = 0;
  for (int64_t s = 0; s < bins.samples; ++s) {
    const AxisSample<float> sample = sample_axis(bins.position(bin, s), size);
    if (sample.low == index) weight += sample.low_weight;
    if (sample.high == index) weight += sample.high_weight;
  }
  return bins.samples > 0 ? weight / static_cast<float>(bins.samples) : 0.0F;
}

// rows [kTileRows, pooled_height], columns [kTileColumns, pooled_width], in shared memory.
struct TileWeights {
  float* rows;
  float* columns;
};

template <typename T>
__device__ void fill_weights(const Geometry<T>& g, const float* roi, const Tile& tile,
                             const TileWeights& weights) {
  const LevelGrad<T>& map = g.maps[tile.map];
  const AxisBins<float> rows = bins_of_rows(g, roi, map.scale);
  const AxisBins<float> columns = bins_of_columns(g, roi, map.scale);
  const int row_weights = kTileRows * g.pooled_height;
  const int total = row_weights + kTileColumns * g.pooled_width;
  for (int i = static_cast<int>(threadIdx.x); i < total; i += kBlock) {
    if (i < row_weights) {
      weights.rows[i] =
          tap_weight(rows, i % g.pooled_height, tile.first_row + i / g.pooled_height, map.height);
    } else {
      const int j = i - row_weights;
      weights.columns[j] = tap_weight(columns, j % g.pooled_width,
                                      tile.first_column + j / g.pooled_width, map.width);
    }
  }
}

// What one RoI gives a pixel. grad: the RoI's [PH, PW, channels] from the thread's channel on.
template <int kWidth, typename T>
__device__ Pack<kWidth> gather_bins(const Geometry<T>& g, const T* grad, const float* rows,
                                    const float* columns) {
  Pack<kWidth> sum{};
  for (int32_t ph = 0; ph < g.pooled_height; ++ph) {
    if (rows[ph] == 0.0F) continue;
    for (int32_t pw = 0; pw < g.pooled_width; ++pw) {
      if (columns[pw] == 0.0F) continue;
      const float weight = rows[ph] * columns[pw];
      const auto bin = static_cast<int64_t>(ph * g.pooled_width + pw);
      const Pack<kWidth> pack = load_pack<kWidth>(grad + bin * g.channels);
#pragma unroll
      for (int i = 0; i < kWidth; ++i) sum.values[i] += weight * pack.values[i];
    }
  }
  return sum;
}

// The thread's items of a tile: item i is pack i % packs of pixel i / packs.
template <int kWidth, typename T>
class TileSums {
 public:
  __device__ TileSums(const Geometry<T>& g, const Tile& tile, int64_t first_item)
      : g_(g), tile_(tile), packs_(g.channels / kWidth), first_(first_item) {}

  __device__ void add(const T* grad, const TileWeights& weights) {
#pragma unroll
    for (int k = 0; k < kItems<kWidth>; ++k) {
      const int64_t item = first_ + static_cast<int64_t>(k) * kBlock;
      const auto [pixel, index] = divide(item, packs_);
      if (pixel >= kTilePixels) continue;
      const int64_t row = pixel / kTileColumns;
      const int64_t column = pixel % kTileColumns;
      const Pack<kWidth> pack =
          gather_bins<kWidth>(g_, grad + index * kWidth, weights.rows + row * g_.pooled_height,
                              weights.columns + column * g_.pooled_width);
#pragma unroll
      for (int i = 0; i < kWidth; ++i) sums_[k].values[i] += pack.values[i];
    }
  }

  __device__ void store() const {
    const LevelGrad<T>& map = g_.maps[tile_.map];
#pragma unroll
    for (int k = 0; k < kItems<kWidth>; ++k) {
      const int64_t item = first_ + static_cast<int64_t>(k) * kBlock;
      const auto [pixel, index] = divide(item, packs_);
      const int64_t row = tile_.first_row + pixel / kTileColumns;
      const int64_t column = tile_.first_column + pixel % kTileColumns;
      if (pixel >= kTilePixels || row >= map.height || column >= map.width) continue;
      const int64_t target = (tile_.image * int64_t{map.height} + row) * map.width + column;
      store_pack<kWidth>(map.data + target * g_.channels + index * kWidth, sums_[k]);
    }
  }

 private:
  const Geometry<T>& g_;
  Tile tile_;
  int64_t packs_;
  int64_t first_;
  Pack<kWidth> sums_[kItems<kWidth>] = {};
};

// Dynamic shared memory: TileWeights.
template <int kWidth, typename T>
__global__ void __launch_bounds__(kBlock, kBlocksPerSm)
    roi_align_backward_kernel(const __grid_constant__ Geometry<T> g, const float* __restrict__ rois,
                              const T* __restrict__ grad_output,
                              const RoiBounds* __restrict__ bounds) {
  __shared__ int32_t found[kBlock];
  float* shared = dynamic_shared_memory<float>();
  const TileWeights weights{shared, shared + kTileRows * g.pooled_height};
  const Tile tile = tile_of_block(g);
  const int64_t roi_size = int64_t{g.pooled_height} * g.pooled_width * g.channels;
  const int64_t items = static_cast<int64_t>(g.channels / kWidth) * kTilePixels;
  for (int64_t first = 0; first < items; first += kBlock * kItems<kWidth>) {
    TileSums<kWidth, T> sums(g, tile, first + threadIdx.x);
    for (int64_t chunk = 0; chunk < g.num_rois; chunk += kBlock) {
      const int64_t own = chunk + threadIdx.x;
      const bool listed = own < g.num_rois && touches(bounds[own], tile);
      const Scan place = block_scan(listed ? 1 : 0);
      if (listed) found[place.before] = static_cast<int32_t>(own);
      for (uint32_t i = 0; i < place.total; ++i) {
        __syncthreads();  // found is written, and the weights before are no longer in use
        const int64_t roi = found[i];
        fill_weights(g, rois + 5 * roi, tile, weights);
        __syncthreads();
        sums.add(grad_output + roi * roi_size, weights);
      }
      __syncthreads();  // found is no longer in use
    }
    sums.store();
  }
}

template <typename T>
void gather(const RoiAlignParams& params, int64_t channels, std::span<const GradMap<T>> maps,
            int64_t num_rois, const float* rois, const T* grad_output, RoiBounds* bounds,
            Stream stream) {
  Geometry<T> g{.maps = {},
                .num_maps = static_cast<int32_t>(maps.size()),
                .min_level = map_level(params.scales.front()),
                .images = maps.front().images,
                .canonical_scale = params.canonical_scale,
                .canonical_level = params.canonical_level,
                .sampling_ratio = params.sampling_ratio,
                .aligned = params.aligned,
                .pooled_height = static_cast<int32_t>(params.pooled_height),
                .pooled_width = static_cast<int32_t>(params.pooled_width),
                .channels = static_cast<int32_t>(channels),
                .num_rois = num_rois};
  int64_t tiles = 0;
  for (size_t i = 0; i < maps.size(); ++i) {
    const GradMap<T>& map = maps[i];
    const int64_t tile_rows = (map.height + kTileRows - 1) / kTileRows;
    const int64_t tile_columns = (map.width + kTileColumns - 1) / kTileColumns;
    const int64_t own = map.data == nullptr ? 0 : map.images * tile_rows * tile_columns;
    g.maps[i] = {
        map.data,         static_cast<int32_t>(map.height),   static_cast<int32_t>(map.width),
        params.scales[i], static_cast<int32_t>(tile_columns), own};
    tiles += own;
  }
  if (tiles == 0 || channels == 0) return;
  if (num_rois > 0) {
    launch("roi_align_bounds", roi_align_bounds_kernel<T>,
           {.grid = blocks_for(num_rois, kBlock), .block = dim3(kBlock), .stream = stream}, g, rois,
           bounds);
  }
  const int64_t weights = kTileRows * params.pooled_height + kTileColumns * params.pooled_width;
  with_pack_width<T>(channels, [&](auto width) {
    launch("roi_align_backward", roi_align_backward_kernel<width(), T>,
           {.grid = dim3(static_cast<unsigned>(tiles)),
            .block = dim3(kBlock),
            .shared_bytes = static_cast<size_t>(weights) * sizeof(float),
            .stream = stream},
           g, rois, grad_output, bounds);
  });
}

}  // namespace

void roi_align_backward(const RoiAlignParams& params, int64_t channels,
                        std::span<const GradMap<float>> maps, int64_t num_rois, const float* rois,
                        const float* grad_output, RoiBounds* bounds, Stream stream) {
  gather(params, channels, maps, num_rois, rois, grad_output, bounds, stream);
}

void roi_align_backward(const RoiAlignParams& params, int64_t channels,
                        std::span<const GradMap<BFloat16>> maps, int64_t num_rois,
                        const float* rois, const BFloat16* grad_output, RoiBounds* bounds,
                        Stream stream) {
  gather(params, channels, maps, num_rois, rois, grad_output, bounds, stream);
}

}  // namespace mrcnn::cuda
