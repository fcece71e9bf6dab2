// A block works on whole rows: the blend of two image rows is the same for all of a row's pixels.
#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/image/resize_math.h"
#include "kernels/image/resize_normalize_pad.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // a thread computes one entry of each channel's table
// 8 blocks on each of 132 SMs are all that run at once; each builds its table only once.
constexpr int64_t kMostBlocks = 1056;

struct PixelScaling {
  float divisor;
  float mean[3];
  float std[3];
  int32_t input_channel[3];  // of each output channel
};

// Channels beyond the third are 0.
template <int kChannels, typename T>
__device__ __forceinline__ void store_pixel(T* pixel, const float (&values)[3]) {
  if constexpr (kChannels % kPackSize<T> == 0) {
#pragma unroll
    for (int first = 0; first < kChannels; first += kPackSize<T>) {
      Pack<kPackSize<T>> pack;
#pragma unroll
      for (int i = 0; i < kPackSize<T>; ++i) {
        pack.values[i] = first + i < 3 ? values[first + i < 3 ? first + i : 0] : 0.0F;
      }
      store_pack<kPackSize<T>>(pixel + first, pack);
    }
  } else {
#pragma unroll
    for (int c = 0; c < kChannels; ++c) {
      pixel[c] = from_float<T>(c < 3 ? values[c < 3 ? c : 0] : 0.0F);
    }
  }
}

// Shared: the normalised value of every byte in every output channel.
template <int kChannels, typename T>
__global__ void __launch_bounds__(kBlock)
    resize_normalize_pad_kernel(ResizeGeometry geometry, PixelScaling scaling,
                                const uint8_t* __restrict__ image, T* __restrict__ output) {
  __shared__ float table[3][kBlock];
#pragma unroll
  for (int c = 0; c < 3; ++c) {
    table[c][threadIdx.x] = normalized_byte(static_cast<int>(threadIdx.x), scaling.divisor,
                                            scaling.mean[c], scaling.std[c]);
  }
  __syncthreads();

  const ImagePlacement& placement = geometry.placement;
  for (int64_t y = blockIdx.x; y < geometry.padded.height; y += gridDim.x) {
    const Blend rows =
        blend_at(placement.crop_top + y, geometry.input.height, placement.resized.height);
    const uint8_t* first_row = image + rows.first * geometry.input.width * 3;
    const uint8_t* second_row = image + rows.second * geometry.input.width * 3;
    T* output_row = output + y * geometry.padded.width * kChannels;
    for (int64_t x = threadIdx.x; x < geometry.padded.width; x += kBlock) {
      float values[3] = {0.0F, 0.0F, 0.0F};
      if (y < placement.visible.height && x < placement.visible.width) {
        Blend columns =
            blend_at(placement.crop_left + x, geometry.input.width, placement.resized.width);
        if (placement.flip) columns = mirrored(columns, geometry.input.width);
#pragma unroll
        for (int c = 0; c < 3; ++c) {
          const int64_t first = columns.first * 3 + scaling.input_channel[c];
          const int64_t second = columns.second * 3 + scaling.input_channel[c];
          values[c] =
              rows.of(columns.of(table[c][first_row[first]], table[c][first_row[second]]),
                      columns.of(table[c][second_row[first]], table[c][second_row[second]]));
        }
      }
      store_pixel<kChannels>(output_row + x * kChannels, values);
    }
  }
}

template <typename T>
void resize(const ResizeGeometry& geometry, const ResizeNormalizePadParams& params,
            const uint8_t* image, T* output, Stream stream) {
  PixelScaling scaling{.divisor = params.divisor, .mean = {}, .std = {}, .input_channel = {}};
  for (int c = 0; c < 3; ++c) {
    scaling.mean[c] = params.mean[static_cast<size_t>(c)];
    scaling.std[c] = params.std[static_cast<size_t>(c)];
    scaling.input_channel[c] = params.pixel_order == PixelOrder::kRgb ? c : 2 - c;
  }
  const auto start = [&](auto kernel) {
    launch("resize_normalize_pad", kernel,
           {.grid = blocks_for(geometry.padded.height, 1, kMostBlocks),
            .block = dim3(kBlock),
            .stream = stream},
           geometry, scaling, image, output);
  };
  switch (geometry.output_channels) {
    case 3:
      return start(resize_normalize_pad_kernel<3, T>);
    case 4:
      return start(resize_normalize_pad_kernel<4, T>);
    default:
      return start(resize_normalize_pad_kernel<8, T>);
  }
}

}  // namespace

void resize_normalize_pad(const ResizeGeometry& geometry, const ResizeNormalizePadParams& params,
                          const uint8_t* image, float* output, Stream stream) {
  resize(geometry, params, image, output, stream);
}

void resize_normalize_pad(const ResizeGeometry& geometry, const ResizeNormalizePadParams& params,
                          const uint8_t* image, BFloat16* output, Stream stream) {
  resize(geometry, params, image, output, stream);
}

}  // namespace mrcnn::cuda
