#include "kernels/conv/winograd.h"

#include <algorithm>
#include <array>

#include "core/parallel.h"

namespace mrcnn::cpu {
namespace {

int64_t divide_up(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor; }

int64_t tiles_of_image(const Shape& input) {
  return divide_up(input[1], kWinogradTile) * divide_up(input[2], kWinogradTile);
}

bool tiles_half_filled(const Shape& input) {
  return 2 * input[1] * input[2] >= tiles_of_image(input) * kWinogradTile * kWinogradTile;
}

}  // namespace

struct WinogradConv2d::Job {
  const float* input = nullptr;
  const float* bias = nullptr;
  const float* residual = nullptr;
  const float* zeros = nullptr;  // a pixel outside of the image
  float* output = nullptr;
  bool relu = false;
  int64_t height = 0;
  int64_t width = 0;
  int64_t tile_rows = 0;  // of one image
  int64_t tile_columns = 0;
  int64_t tiles = 0;  // of all images
  int64_t tiles_per_block = 0;
  int64_t panels_per_block = 0;
  int64_t panel_blocks = 0;

  struct Place {
    int64_t image, top, left;
  };
  Place place(int64_t tile) const {
    return {tile / (tile_rows * tile_columns), tile / tile_columns % tile_rows * kWinogradTile,
            tile % tile_columns * kWinogradTile};
  }
};

bool WinogradConv2d::supports(const Shape& weight, const Conv2dParams& params) {
  return weight[1] == 3 && weight[2] == 3 && params.stride == std::array<int64_t, 2>{1, 1} &&
         params.padding == std::array<int64_t, 2>{1, 1} && weight[0] % kWinogradChannelStep == 0 &&
         weight[3] % kWinogradChannelStep == 0;
}

bool use_winograd(const Shape& input) {
  constexpr int64_t kLeastTiles = 4;  // of an image
  return tiles_half_filled(input) && tiles_of_image(input) >= kLeastTiles;
}

bool use_winograd_once(const Shape& input) {
  constexpr int64_t kLeastTiles = 32;  // of a batch
  return tiles_half_filled(input) && input[0] * tiles_of_image(input) >= kLeastTiles;
}

WinogradConv2d::WinogradConv2d(const Tensor& weight, const WinogradKernels& kernels,
                               WinogradDirection direction)
    : kernels_(kernels),
      channels_(weight.size(direction == WinogradDirection::kForward ? 3 : 0)),
      out_channels_(weight.size(direction == WinogradDirection::kForward ? 0 : 3)),
      panels_(divide_up(out_channels_, kernels.product_columns)),
      packed_(pack_winograd_filters(weight, kernels.product_columns, direction)) {}

// A block is some tiles times some panels. Every block streams its panels' weights from a distant
// cache level, so it should have many tiles, but its intermediates should stay in a near one: 28
// tiles measured best up to 256 x 256 channels, 84 for 512 x 512. Tiles are dealt out evenly; where
// they do not suffice for all threads, blocks share tiles and split the panels, at the price of
// transforming inputs twice.
void WinogradConv2d::plan_blocks(Job& job) const {
  constexpr int64_t kMinTiles = 28, kMaxTiles = 84;
  constexpr int64_t kWeightBytesPerTile = 450'000;
  const int64_t wanted = std::clamp(packed_.bytes() / kWeightBytesPerTile, kMinTiles, kMaxTiles);
  const int64_t threads = num_threads();
  int64_t tile_blocks = divide_up(job.tiles, wanted);
  job.panel_blocks = 1;
  if (tile_blocks >= threads) {
    tile_blocks = divide_up(tile_blocks, threads) * threads;
  } else {
    job.panel_blocks = std::min(panels_, divide_up(threads, tile_blocks));
  }
  job.tiles_per_block = divide_up(job.tiles, tile_blocks);
  job.panels_per_block = divide_up(panels_, job.panel_blocks);
}

void WinogradConv2d::transform_inputs(const Job& job, int64_t first_tile, int64_t tiles,
                                      float* transformed, int64_t position_stride) const {
  for (int64_t t = 0; t < tiles; ++t) {
    const auto [image, top, left] = job.place(first_tile + t);
    std::array<const float*, kWinogradPositions> pixels;
    for (int64_t i = 0; i < kWinogradPositions; ++i) {
      const int64_t y = top - 1 + i / kWinogradPatch, x = left - 1 + i % kWinogradPatch;
      const bool inside = y >= 0 && y < job.height && x >= 0 && x < job.width;
      pixels[static_cast<size_t>(i)] =
          inside ? job.input + ((image * job.height + y) * job.width + x) * channels_ : job.zeros;
    }
    kernels_.input_transform(pixels.data(), channels_, transformed + t * channels_,
                             position_stride);
  }
}

void WinogradConv2d::transform_outputs(const Job& job, int64_t first_tile, int64_t tiles,
                                       int64_t first_channel, int64_t width, const float* products,
                                       int64_t position_stride) const {
  const int64_t channels = std::min(width, out_channels_ - first_channel);
  for (int64_t t = 0; t < tiles; ++t) {
    const auto [image, top, left] = job.place(first_tile + t);
    const int64_t offset =
        ((image * job.height + top) * job.width + left) * out_channels_ + first_channel;
    kernels_.output_transform(
        products + t * width, position_stride, channels,
        {.output = job.output + offset,
         .residual = job.residual != nullptr ? job.residual + offset : nullptr,
         .bias = job.bias != nullptr ? job.bias + first_channel : nullptr,
         .row_stride = job.width * out_channels_,
         .pixel_stride = out_channels_,
         .rows = std::min(kWinogradTile, job.height - top),
         .columns = std::min(kWinogradTile, job.width - left),
         .relu = job.relu});
  }
}

void WinogradConv2d::run_block(const Job& job, int64_t block) const {
  const int64_t first_panel = block % job.panel_blocks * job.panels_per_block;
  const int64_t panels = std::min(job.panels_per_block, panels_ - first_panel);
  const int64_t first_tile = block / job.panel_blocks * job.tiles_per_block;
  const int64_t tiles = std::min(job.tiles_per_block, job.tiles - first_tile);
  if (panels <= 0 || tiles <= 0) return;  // the last blocks of an uneven split
  const int64_t columns = kernels_.product_columns;
  const int64_t width = panels * columns;
  const int64_t input_stride = tiles * channels_ + kWinogradPadding;
  const int64_t product_stride = tiles * width + kWinogradPadding;
  const Tensor scratch = Tensor::empty({kWinogradPositions * (input_stride + product_stride)});
  float* const transformed = scratch.data<float>();
  float* const products = transformed + kWinogradPositions * input_stride;

  transform_inputs(job, first_tile, tiles, transformed, input_stride);
  const int64_t groups = divide_up(tiles, kernels_.product_rows);
  for (int64_t p = 0; p < kWinogradPositions; ++p) {
    for (int64_t panel = 0; panel < panels; ++panel) {
      const float* const weights = packed_.data<const float>() + p * packed_.size(1) +
                                   (first_panel + panel) * channels_ * columns;
      for (int64_t group = 0; group < groups; ++group) {
        const int64_t begin = tiles * group / groups, end = tiles * (group + 1) / groups;
        kernels_.product(transformed + p * input_stride + begin * channels_, channels_, end - begin,
                         weights, channels_,
                         products + p * product_stride + begin * width + panel * columns, width);
      }
    }
  }
  transform_outputs(job, first_tile, tiles, first_panel * columns, width, products, product_stride);
}

void WinogradConv2d::run(const Tensor& input, const Tensor& bias, const Tensor& residual, bool relu,
                         const Tensor& output) const {
  const Tensor zeros = Tensor::zeros({channels_});
  Job job{.input = input.data<const float>(),
          .bias = bias.defined() ? bias.data<const float>() : nullptr,
          .residual = residual.defined() ? residual.data<const float>() : nullptr,
          .zeros = zeros.data<const float>(),
          .output = output.data<float>(),
          .relu = relu,
          .height = input.size(1),
          .width = input.size(2),
          .tile_rows = divide_up(input.size(1), kWinogradTile),
          .tile_columns = divide_up(input.size(2), kWinogradTile)};
  job.tiles = input.size(0) * job.tile_rows * job.tile_columns;
  if (job.tiles == 0) return;
  plan_blocks(job);
  const int64_t blocks = divide_up(job.tiles, job.tiles_per_block) * job.panel_blocks;
  parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) run_block(job, block);
  });
}

}  // namespace mrcnn::cpu
