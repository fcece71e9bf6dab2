#include "kernels/conv/conv2d_weight_gradient.h"

#include <algorithm>

#include "core/parallel.h"
#include "core/primitives.h"

namespace mrcnn::cpu {
namespace {

int64_t divide_up(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor; }

// An output pixel, stepping in the order of memory.
struct PixelCursor {
  int64_t height, width;  // of an image
  int64_t image, y, x;

  PixelCursor(const Tensor& grad_output, int64_t pixel)
      : height(grad_output.size(1)),
        width(grad_output.size(2)),
        image(pixel / (height * width)),
        y(pixel / width % height),
        x(pixel % width) {}

  void advance() {
    if (++x < width) return;
    x = 0;
    if (++y < height) return;
    y = 0;
    ++image;
  }
};

struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

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
        pixels_(grad_output.numel() / outputs_),
        groups_(divide_up(outputs_, kernels.product_rows)),
        panels_(divide_up(patch_, kernels.product_columns)),
        width_(panels_ * kernels.product_columns),
        parts_(count_parts()),
        chunk_(pixels_per_chunk()) {}

  void run() {
    const Tensor sums = Tensor::empty({parts_, outputs_, width_});
    plan_blocks();
    const int64_t group_blocks = divide_up(groups_, groups_per_block_);
    const int64_t panel_blocks = divide_up(panels_, panels_per_block_);
    parallel_for(0, parts_ * group_blocks * panel_blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t group = i % group_blocks * groups_per_block_;
        const int64_t panel = i / group_blocks % panel_blocks * panels_per_block_;
        run_block(i / (group_blocks * panel_blocks),
                  {group, std::min(groups_, group + groups_per_block_)},
                  {panel, std::min(panels_, panel + panels_per_block_)}, sums);
      }
    });
    add_parts(sums);
  }

 private:
  // Parts are work for threads without waiting in between, and cost memory and a pass over it. A
  // function of the sizes, because they change the order of additions.
  int64_t count_parts() const {
    constexpr int64_t kSmall = int64_t{1} << 20, kLarge = int64_t{4} << 20;
    constexpr int64_t kLeastPixels = 256;
    const int64_t bytes = outputs_ * width_ * static_cast<int64_t>(sizeof(float));
    const int64_t most = bytes <= kSmall ? 8 : bytes <= kLarge ? 4 : 1;
    return std::clamp<int64_t>(pixels_ / kLeastPixels, 1, most);
  }

  // Pixels that are copied and added at a time: both copies should stay near the core, and many
  // pixels spare passes over the sums. A function of the sizes, as above.
  int64_t pixels_per_chunk() const {
    constexpr int64_t kBytes = int64_t{2} << 20, kLeast = 64, kMost = 1024;
    const int64_t pixel_bytes = (outputs_ + width_) * static_cast<int64_t>(sizeof(float));
    return std::clamp(kBytes / pixel_bytes, kLeast, kMost);
  }

  // Where the parts do not suffice for all threads the sums are cut, at the price of copying pixels
  // more than once. This does not change a bit of a sum, so it may depend on the threads.
  void plan_blocks() {
    const int64_t wanted = num_threads() == 1 ? 1 : 2 * num_threads();
    groups_per_block_ = groups_;
    panels_per_block_ = panels_;
    const auto blocks = [&] {
      return divide_up(groups_, groups_per_block_) * divide_up(panels_, panels_per_block_);
    };
    while (parts_ * blocks() < wanted && groups_per_block_ * panels_per_block_ > 1) {
      const bool wide =
          panels_per_block_ * kernels_.product_columns > groups_per_block_ * kernels_.product_rows;
      const bool cut_panels = panels_per_block_ > 1 && (wide || groups_per_block_ == 1);
      int64_t& cut = cut_panels ? panels_per_block_ : groups_per_block_;
      cut = divide_up(cut, 2);
    }
  }

  int64_t first_output(int64_t group) const { return outputs_ * group / groups_; }

  // Columns of this many bytes are read from the second level of the cache while the groups of
  // outputs go over them.
  void multiply(const float* left, int64_t left_stride, const float* right, int64_t right_stride,
                int64_t count, const Range& groups, int64_t columns, bool add_to_sums,
                float* sums) const {
    constexpr int64_t kColumns = 256;
    const int64_t origin = first_output(groups.begin);
    for (int64_t first = 0; first < columns; first += kColumns) {
      const int64_t last = std::min(columns, first + kColumns);
      for (int64_t group = groups.begin; group < groups.end; ++group) {
        const int64_t output = first_output(group) - origin;
        const int64_t rows = first_output(group + 1) - first_output(group);
        for (int64_t c = first; c < last; c += kernels_.product_columns) {
          kernels_.accumulate(left + output, left_stride, rows, right + c, right_stride, count,
                              add_to_sums, sums + output * width_ + c, width_);
        }
      }
    }
  }

  void run_block(int64_t part, const Range& groups, const Range& panels,
                 const Tensor& all_sums) const {
    const Range outputs{first_output(groups.begin), first_output(groups.end)};
    const Range columns{panels.begin * kernels_.product_columns,
                        panels.end * kernels_.product_columns};
    const Range pixels{pixels_ * part / parts_, pixels_ * (part + 1) / parts_};
    const int64_t left_stride = outputs.size() + kWinogradPadding;
    const int64_t right_stride = columns.size() + kWinogradPadding;
    const Tensor memory = Tensor::empty({chunk_ * (left_stride + right_stride)});
    float* const left = memory.data<float>();
    float* const right = left + chunk_ * left_stride;
    float* const sums =
        all_sums.data<float>() + (part * outputs_ + outputs.begin) * width_ + columns.begin;
    PixelCursor cursor(grad_output_, pixels.begin);
    for (int64_t first = pixels.begin; first < pixels.end; first += chunk_) {
      const int64_t count = std::min(chunk_, pixels.end - first);
      const float* const gradients =
          grad_output_.data<const float>() + first * outputs_ + outputs.begin;
      for (int64_t k = 0; k < count; ++k, cursor.advance()) {
        std::copy_n(gradients + k * outputs_, outputs.size(), left + k * left_stride);
        copy_patch(cursor, columns, right + k * right_stride);
      }
      multiply(left, left_stride, right, right_stride, count, groups, columns.size(),
               first > pixels.begin, sums);
    }
  }

  // The parts in order; the last columns of a row may be more than there are taps.
  void add_parts(const Tensor& sums) const {
    const float* const values = sums.data<const float>();
    parallel_for(0, outputs_, 8, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) {
        float* const result = grad_weight_.data<float>() + o * patch_;
        std::copy_n(values + o * width_, patch_, result);
        for (int64_t part = 1; part < parts_; ++part) {
          const float* const more = values + (part * outputs_ + o) * width_;
          for (int64_t i = 0; i < patch_; ++i) result[i] += more[i];
        }
      }
    });
  }

  // Columns of the patch [KH, KW, C] that an output pixel saw: zeros outside of the image and
  // behind the patch.
  void copy_patch(const PixelCursor& pixel, const Range& columns, float* row) const {
    const int64_t height = input_.size(1), width = input_.size(2), channels = input_.size(3);
    const int64_t kernel_w = grad_weight_.size(2), line = kernel_w * channels;
    const int64_t top = pixel.y * params_.stride[0] - params_.padding[0];
    const int64_t left = pixel.x * params_.stride[1] - params_.padding[1];
    const int64_t inside_begin = std::clamp<int64_t>(-left, 0, kernel_w) * channels;
    const int64_t inside_end = std::clamp<int64_t>(width - left, 0, kernel_w) * channels;
    for (int64_t at = columns.begin; at < columns.end;) {
      const int64_t ky = at / line, y = top + ky;
      const int64_t stop = std::min((ky + 1) * line, columns.end);
      const bool visible = at < patch_ && y >= 0 && y < height;
      const int64_t begin = visible ? std::clamp(ky * line + inside_begin, at, stop) : stop;
      const int64_t end = visible ? std::clamp(ky * line + inside_end, begin, stop) : stop;
      row = std::fill_n(row, begin - at, 0.0F);
      if (begin < end) {
        const float* const source =
            input_.data<const float>() + ((pixel.image * height + y) * width + left) * channels;
        row = std::copy_n(source + begin - ky * line, end - begin, row);
      }
      row = std::fill_n(row, stop - end, 0.0F);
      at = stop;
    }
  }

  const Tensor& input_;
  const Tensor& grad_output_;
  const Conv2dParams& params_;
  const WinogradKernels& kernels_;
  const Tensor& grad_weight_;
  int64_t outputs_;
  int64_t patch_;   // KH * KW * C
  int64_t pixels_;  // of all outputs
  int64_t groups_;  // of up to product_rows outputs
  int64_t panels_;  // of product_columns columns of the patch
  int64_t width_;   // columns of all panels
  int64_t parts_;   // of the pixels, each with sums of its own
  int64_t chunk_;
  int64_t groups_per_block_ = 1;
  int64_t panels_per_block_ = 1;
};

}  // namespace

void conv2d_weight_gradient(const Tensor& input, const Tensor& grad_output,
                            const Conv2dParams& params, const WinogradKernels& kernels,
                            const Tensor& grad_weight) {
  if (grad_output.numel() == 0) return fill_(grad_weight, 0);
  WeightGradient(input, grad_output, params, kernels, grad_weight).run();
}

}  // namespace mrcnn::cpu
