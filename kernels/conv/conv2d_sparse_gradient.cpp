#include "kernels/conv/conv2d_sparse_gradient.h"

#include <algorithm>
#include <atomic>

#include "core/parallel.h"
#include "core/primitives.h"
#include "kernels/linalg/matmul.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kLeastPixelsPerNonzero = 16;
constexpr int64_t kPixelsPerChunk = 512;
constexpr int64_t kChannelsPerChunk = 64;  // four cache lines of the map at a time

// Without an early end, so that it is a loop over vectors. NaN is not 0.
bool any_nonzero(const float* values, int64_t count) {
  bool found = false;
  for (int64_t i = 0; i < count; ++i) found |= values[i] != 0.0F;
  return found;
}

// [pixels, O]
Tensor gather_rows(const std::vector<int64_t>& pixels, const Tensor& map) {
  const int64_t channels = map.size(3);
  const Tensor rows = Tensor::empty({static_cast<int64_t>(pixels.size()), channels});
  float* out = rows.data<float>();
  for (const int64_t pixel : pixels) {
    out = std::copy_n(map.data<const float>() + pixel * channels, channels, out);
  }
  return rows;
}

// Where the elements of patches lie: calls f(offset in the patches, offset in the map) for every
// pixel, in order, and every tap of the kernel inside the map, and outside(offset in the patches)
// for the other taps. Both offsets are those of C channels.
struct PatchWalk {
  const std::vector<int64_t>& pixels;
  const Tensor& grad_output;
  const Tensor& map;
  int64_t kernel_height, kernel_width;
  const Conv2dParams& params;

  int64_t patch() const { return kernel_height * kernel_width * map.size(3); }

  template <typename Inside, typename Outside>
  void walk(size_t begin, size_t end, const Inside& inside, const Outside& outside) const {
    const int64_t out_height = grad_output.size(1), out_width = grad_output.size(2);
    const int64_t height = map.size(1), width = map.size(2), channels = map.size(3);
    for (size_t i = begin; i < end; ++i) {
      const int64_t image = pixels[i] / (out_height * out_width);
      const int64_t top = pixels[i] / out_width % out_height * params.stride[0] - params.padding[0];
      const int64_t left = pixels[i] % out_width * params.stride[1] - params.padding[1];
      int64_t offset = static_cast<int64_t>(i) * patch();
      for (int64_t y = top; y < top + kernel_height; ++y) {
        for (int64_t x = left; x < left + kernel_width; ++x, offset += channels) {
          if (y < 0 || y >= height || x < 0 || x >= width) {
            outside(offset);
          } else {
            inside(offset, ((image * height + y) * width + x) * channels);
          }
        }
      }
    }
  }
};

Tensor as_matrix(const Tensor& weight) {
  return weight.reshape({weight.size(0), weight.numel() / weight.size(0)});
}

}  // namespace

std::optional<std::vector<int64_t>> few_nonzero_pixels(const Tensor& grad_output) {
  const int64_t channels = grad_output.size(3);
  const int64_t count = grad_output.numel() / channels;
  const int64_t most = count / kLeastPixelsPerNonzero;
  const float* const values = grad_output.data<const float>();
  std::vector<std::vector<int64_t>> found(
      static_cast<size_t>((count + kPixelsPerChunk - 1) / kPixelsPerChunk));
  std::atomic<int64_t> total = 0;
  parallel_for(0, count, kPixelsPerChunk, [&](int64_t begin, int64_t end) {
    std::vector<int64_t>& own = found[static_cast<size_t>(begin / kPixelsPerChunk)];
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      if (!any_nonzero(values + pixel * channels, channels)) continue;
      if (total.fetch_add(1, std::memory_order_relaxed) >= most) return;
      own.push_back(pixel);
    }
  });
  if (total > most) return std::nullopt;
  std::vector<int64_t> pixels;
  for (const std::vector<int64_t>& own : found) pixels.insert(pixels.end(), own.begin(), own.end());
  return pixels;
}

void sparse_grad_input(const std::vector<int64_t>& pixels, const Tensor& grad_output,
                       const Tensor& weight, const Conv2dParams& params, const Tensor& grad_input) {
  fill_(grad_input, 0);
  const Tensor patches = mrcnn::matmul(gather_rows(pixels, grad_output), as_matrix(weight));
  const PatchWalk walk{pixels, grad_output, grad_input, weight.size(1), weight.size(2), params};
  const float* const from = patches.data<const float>();
  float* const to = grad_input.data<float>();
  parallel_for(0, grad_input.size(3), kChannelsPerChunk, [&](int64_t begin, int64_t end) {
    const auto add = [&](int64_t patch_offset, int64_t map_offset) {
      for (int64_t c = begin; c < end; ++c) to[map_offset + c] += from[patch_offset + c];
    };
    walk.walk(0, pixels.size(), add, [](int64_t) {});
  });
}

void sparse_grad_weight(const std::vector<int64_t>& pixels, const Tensor& grad_output,
                        const Tensor& input, const Conv2dParams& params,
                        const Tensor& grad_weight) {
  const PatchWalk walk{pixels, grad_output, input, grad_weight.size(1), grad_weight.size(2),
                       params};
  const auto count = static_cast<int64_t>(pixels.size());
  const int64_t channels = input.size(3);
  const Tensor patches = Tensor::empty({count, walk.patch()});
  const float* const from = input.data<const float>();
  float* const to = patches.data<float>();
  parallel_for(0, count, 16, [&](int64_t begin, int64_t end) {
    walk.walk(
        static_cast<size_t>(begin), static_cast<size_t>(end),
        [&](int64_t patch_offset, int64_t map_offset) {
          std::copy_n(from + map_offset, channels, to + patch_offset);
        },
        [&](int64_t patch_offset) { std::fill_n(to + patch_offset, channels, 0.0F); });
  });
  matmul_into(gather_rows(pixels, grad_output), patches, {.a_transposed = true},
              as_matrix(grad_weight));
}

}  // namespace mrcnn::cpu
