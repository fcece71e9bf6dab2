#include "kernels/conv/winograd_weight_gradient.h"

#include <algorithm>
#include <array>

#include "core/parallel.h"
#include "core/primitives.h"
#include "kernels/conv/winograd_filters.h"

namespace mrcnn::cpu {
namespace {

int64_t divide_up(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor; }

// One of the two factors: images, and a chunk of their tiles in the transformed positions.
struct Side {
  const float* pixels;
  int64_t channels;
  int64_t patch;   // pixels of a tile's side that are read
  int64_t margin;  // of them above and to the left of the tile
  void (*transform)(const float* const*, int64_t, float*, int64_t);
  float* transformed = nullptr;  // [36, tiles, row_stride]

  // A panel of products may reach into the padding.
  int64_t row_stride() const { return channels + kWinogradPadding; }
};

class WeightGradient {
 public:
  WeightGradient(const Tensor& input, const Tensor& grad_output, const WinogradKernels& kernels)
      : kernels_(kernels),
        height_(input.size(1)),
        width_(input.size(2)),
        tile_rows_(divide_up(height_, kWinogradTile)),
        tile_columns_(divide_up(width_, kWinogradTile)),
        tiles_(input.size(0) * tile_rows_ * tile_columns_),
        right_{input.data<const float>(), input.size(3), kWinogradPatch, 1,
               kernels.input_transform},
        left_{grad_output.data<const float>(), grad_output.size(3), kWinogradTile, 0,
              kernels.gradient_transform},
        zeros_(Tensor::zeros({std::max(input.size(3), grad_output.size(3))})) {}

  void run(const Tensor& grad_weight) {
    const int64_t chunk = tiles_per_chunk();
    // The padding stays unset: what it adds goes to columns of the sums that nobody reads.
    const Tensor memory =
        Tensor::empty({kWinogradPositions * chunk * (left_.row_stride() + right_.row_stride())});
    left_.transformed = memory.data<float>();
    right_.transformed = left_.transformed + kWinogradPositions * chunk * left_.row_stride();
    const int64_t position_stride = left_.channels * width_of_sums() + kWinogradPadding;
    const Tensor sums = Tensor::empty({kWinogradPositions, position_stride});
    for (int64_t first = 0; first < tiles_; first += chunk) {
      const int64_t count = std::min(chunk, tiles_ - first);
      transform_chunk(first, count);
      add_products(count, first > 0, sums);
    }
    winograd_filter_gradient(sums, width_of_sums(), grad_weight);
  }

 private:
  // Input channels, up to whole panels.
  int64_t width_of_sums() const {
    return divide_up(right_.channels, kernels_.product_columns) * kernels_.product_columns;
  }

  // Both transformed sides should stay in the last level of the cache; many tiles spare passes over
  // the sums.
  int64_t tiles_per_chunk() const {
    constexpr int64_t kBytes = int64_t{16} << 20;
    constexpr int64_t kMinTiles = 32, kMaxTiles = 512;
    const int64_t tile_bytes = kWinogradPositions * (left_.row_stride() + right_.row_stride()) *
                               static_cast<int64_t>(sizeof(float));
    const int64_t fitting = std::clamp(kBytes / tile_bytes, kMinTiles, kMaxTiles);
    return divide_up(tiles_, std::max<int64_t>(divide_up(tiles_, fitting), 1));
  }

  void transform_tile(const Side& side, int64_t tile, int64_t slot, int64_t count) const {
    const int64_t image = tile / (tile_rows_ * tile_columns_);
    const int64_t top = tile / tile_columns_ % tile_rows_ * kWinogradTile - side.margin;
    const int64_t left = tile % tile_columns_ * kWinogradTile - side.margin;
    std::array<const float*, kWinogradPositions> pixels{};
    for (int64_t i = 0; i < side.patch * side.patch; ++i) {
      const int64_t y = top + i / side.patch, x = left + i % side.patch;
      const bool inside = y >= 0 && y < height_ && x >= 0 && x < width_;
      pixels[static_cast<size_t>(i)] =
          inside ? side.pixels + ((image * height_ + y) * width_ + x) * side.channels
                 : zeros_.data<const float>();
    }
    side.transform(pixels.data(), side.channels, side.transformed + slot * side.row_stride(),
                   count * side.row_stride());
  }

  void transform_chunk(int64_t first, int64_t count) const {
    constexpr int64_t kGrain = 4;
    parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot) {
        transform_tile(left_, first + slot, slot, count);
        transform_tile(right_, first + slot, slot, count);
      }
    });
  }

  // One item of work is a position and some groups of outputs.
  void add_products(int64_t count, bool add_to_sums, const Tensor& sums) const {
    constexpr int64_t kGroupsPerItem = 5;
    const int64_t groups = divide_up(left_.channels, kernels_.product_rows);
    const int64_t items = divide_up(groups, kGroupsPerItem);
    parallel_for(0, kWinogradPositions * items, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first_group = i % items * kGroupsPerItem;
        const int64_t last_group = std::min(groups, first_group + kGroupsPerItem);
        for (int64_t group = first_group; group < last_group; ++group) {
          add_group(i / items, left_.channels * group / groups,
                    left_.channels * (group + 1) / groups, count, add_to_sums, sums);
        }
      }
    });
  }

  void add_group(int64_t position, int64_t first_output, int64_t last_output, int64_t count,
                 bool add_to_sums, const Tensor& sums) const {
    const float* const left =
        left_.transformed + position * count * left_.row_stride() + first_output;
    const float* const right = right_.transformed + position * count * right_.row_stride();
    const int64_t width = width_of_sums();
    float* const out = sums.data<float>() + position * sums.size(1) + first_output * width;
    for (int64_t column = 0; column < width; column += kernels_.product_columns) {
      kernels_.accumulate(left, left_.row_stride(), last_output - first_output, right + column,
                          right_.row_stride(), count, add_to_sums, out + column, width);
    }
  }

  const WinogradKernels& kernels_;
  int64_t height_;
  int64_t width_;
  int64_t tile_rows_;
  int64_t tile_columns_;
  int64_t tiles_;
  Side right_;
  Side left_;
  Tensor zeros_;  // a pixel outside of the image
};

}  // namespace

void winograd_weight_gradient(const Tensor& input, const Tensor& grad_output,
                              const WinogradKernels& kernels, const Tensor& grad_weight) {
  if (input.numel() == 0) return fill_(grad_weight, 0);
  WeightGradient(input, grad_output, kernels).run(grad_weight);
}

}  // namespace mrcnn::cpu
