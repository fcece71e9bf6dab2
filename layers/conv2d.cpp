#include "layers/conv2d.h"

#include <fmt/core.h>

namespace mrcnn {

Conv2d::Conv2d(int64_t in_channels, int64_t out_channels, const Conv2dOptions& options)
    : in_channels_(in_channels), out_channels_(out_channels), options_(options) {
  weight_.file_shape = {out_channels, in_channels, options.kernel, options.kernel};
  weight_.layout = FileLayout::kConv;
  register_parameter("weight", weight_);
  if (options.bias) {
    bias_.file_shape = {out_channels};
    register_parameter("bias", bias_);
  }
}

std::string Conv2d::arguments() const {
  std::string text = fmt::format("{0}, {1}, kernel_size=({2}, {2}), stride=({3}, {3})",
                                 in_channels_, out_channels_, options_.kernel, options_.stride);
  if (options_.padding != 0) text += fmt::format(", padding=({0}, {0})", options_.padding);
  if (!options_.bias) text += ", bias=False";
  return text;
}

ConvTranspose2d::ConvTranspose2d(int64_t in_channels, int64_t out_channels, int64_t kernel)
    : in_channels_(in_channels), out_channels_(out_channels), kernel_(kernel) {
  weight_.file_shape = {in_channels, out_channels, kernel, kernel};
  weight_.layout = FileLayout::kConvTranspose;
  bias_.file_shape = {out_channels};
  register_parameter("weight", weight_);
  register_parameter("bias", bias_);
}

std::string ConvTranspose2d::arguments() const {
  return fmt::format("{0}, {1}, kernel_size=({2}, {2}), stride=({2}, {2})", in_channels_,
                     out_channels_, kernel_);
}

}  // namespace mrcnn
