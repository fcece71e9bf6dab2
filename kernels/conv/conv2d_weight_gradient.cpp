#include "kernels/conv/conv2d_weight_gradient.h"

#include <algorithm>

#include "core/parallel.h"

namespace mrcnn::cpu {
namespace {

// Rows of a copied side end with a cache line that is not used, so that they do not fall into one
// set of the cache.
constexpr int64_t kRowPadding = 16;

int64_t divide_up(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor; }

class WeightGradient {
 public:
  WeightGradient(const Tensor& input, const Tensor& grad_output, const Conv2dParams& params,
                 const WinogradKernels& kernels, const Tensor& grad_weight)
      : input_(input),
        grad_output_(grad_output),
        params_(params),
        kernels_(kernels),
        grad_weight_(grad_weight),
        outputs_(grad_weight.size(0)),
        patch_(grad_weight.numel() / outputs_),
        width_(divide_up(patch_, kernels.product_columns) * kernels.product_columns),
        pixels_(grad_output.numel() / outputs_),
        chunk_(pixels_per_chunk()) {}

  void run() {
    // The last columns may be more than there are taps.
    const bool in_place = width_ == patch_;
    const Tensor sums = in_place ? grad_weight_ : Tensor::empty({outputs_, width_});
    std::fill_n(sums.data<float>(), sums.numel(), 0.0F);
    const Tensor memory = Tensor::empty({chunk_ * (left_stride() + right_stride())});
    left_ = memory.data<float>();
    right_ = left_ + chunk_ * left_stride();
    for (int64_t first = 0; first < pixels_; first += chunk_) {
      const int64_t count = std::min(chunk_, pixels_ - first);
      copy_chunk(first, count);
      add_products(count, sums.data<float>());
    }
    if (in_place) return;
    for (int64_t o = 0; o < outputs_; ++o) {
      std::copy_n(sums.data<const float>() + o * width_, patch_,
                  grad_weight_.data<float>() + o * patch_);
    }
  }

 private:
  int64_t left_stride() const { return outputs_ + kRowPadding; }
  int64_t right_stride() const { return width_ + kRowPadding; }

  // Both copied sides should stay in the caches near the cores; many pixels spare passes over the
  // sums.
  int64_t pixels_per_chunk() const {
    constexpr int64_t kBytes = int64_t{2} << 20;
    constexpr int64_t kMinPixels = 128, kMaxPixels = 1024;
    const int64_t bytes = (left_stride() + right_stride()) * static_cast<int64_t>(sizeof(float));
    const int64_t fitting = std::clamp(kBytes / bytes, kMinPixels, kMaxPixels);
    return divide_up(pixels_, std::max<int64_t>(divide_up(pixels_, fitting), 1));
  }

  void copy_chunk(int64_t first, int64_t count) const {
    constexpr int64_t kGrain = 16;
    const float* const gradients = grad_output_.data<const float>();
    parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot) {
        std::copy_n(gradients + (first + slot) * outputs_, outputs_, left_ + slot * left_stride());
        copy_patch(first + slot, right_ + slot * right_stride());
      }
    });
  }

  // What output pixel `pixel` saw, zeros outside of the image and up to the row's width.
  void copy_patch(int64_t pixel, float* row) const {
    const int64_t height = input_.size(1), width = input_.size(2), channels = input_.size(3);
    const int64_t kernel_h = grad_weight_.size(1), kernel_w = grad_weight_.size(2);
    const int64_t out_h = grad_output_.size(1), out_w = grad_output_.size(2);
    const int64_t image = pixel / (out_h * out_w);
    const int64_t top = pixel / out_w % out_h * params_.stride[0] - params_.padding[0];
    const int64_t left = pixel % out_w * params_.stride[1] - params_.padding[1];
    const int64_t begin = std::clamp<int64_t>(-left, 0, kernel_w);
    const int64_t end = std::clamp<int64_t>(width - left, begin, kernel_w);
    const float* const source = input_.data<const float>();
    for (int64_t ky = 0; ky < kernel_h; ++ky, row += kernel_w * channels) {
      const int64_t y = top + ky;
      if (y < 0 || y >= height || begin == end) {
        std::fill_n(row, kernel_w * channels, 0.0F);
        continue;
      }
      std::fill_n(row, begin * channels, 0.0F);
      std::copy_n(source + ((image * height + y) * width + left + begin) * channels,
                  (end - begin) * channels, row + begin * channels);
      std::fill_n(row + end * channels, (kernel_w - end) * channels, 0.0F);
    }
    std::fill_n(row, width_ - patch_, 0.0F);
  }

  // An item of work is some groups of outputs times some panels of columns: the latter are read
  // from the second level of the cache while the groups go over them.
  void add_products(int64_t count, float* sums) const {
    constexpr int64_t kGroupsPerItem = 4, kColumnsPerItem = 256;
    const int64_t groups = divide_up(outputs_, kernels_.product_rows);
    const int64_t group_items = divide_up(groups, kGroupsPerItem);
    const int64_t column_items = divide_up(width_, kColumnsPerItem);
    parallel_for(0, group_items * column_items, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first_column = i / group_items * kColumnsPerItem;
        const int64_t last_column = std::min(width_, first_column + kColumnsPerItem);
        const int64_t first_group = i % group_items * kGroupsPerItem;
        const int64_t last_group = std::min(groups, first_group + kGroupsPerItem);
        for (int64_t group = first_group; group < last_group; ++group) {
          const int64_t first = outputs_ * group / groups, last = outputs_ * (group + 1) / groups;
          for (int64_t c = first_column; c < last_column; c += kernels_.product_columns) {
            kernels_.accumulate(left_ + first, left_stride(), last - first, right_ + c,
                                right_stride(), count, sums + first * width_ + c, width_);
          }
        }
      }
    });
  }

  const Tensor& input_;
  const Tensor& grad_output_;
  const Conv2dParams& params_;
  const WinogradKernels& kernels_;
  const Tensor& grad_weight_;
  int64_t outputs_;
  int64_t patch_;   // KH * KW * C
  int64_t width_;   // that, up to whole panels
  int64_t pixels_;  // of all outputs
  int64_t chunk_;
  float* left_ = nullptr;   // [chunk, left_stride]
  float* right_ = nullptr;  // [chunk, right_stride]
};

}  // namespace

void conv2d_weight_gradient(const Tensor& input, const Tensor& grad_output,
                            const Conv2dParams& params, const WinogradKernels& kernels,
                            const Tensor& grad_weight) {
  WeightGradient(input, grad_output, params, kernels, grad_weight).run();
}

}  // namespace mrcnn::cpu
