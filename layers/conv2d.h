// Convolution layers: parameters and their description. The arithmetic is kernels/conv.
#pragma once

#include <array>
#include <string>

#include "kernels/conv/conv2d.h"
#include "layers/module.h"

namespace mrcnn {

struct Conv2dOptions {
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t padding = 0;
  bool bias = true;
};

// Parameters: weight [O, I, K, K], bias [O] (names and file order of torch.nn.Conv2d).
class Conv2d : public Module {
 public:
  Conv2d(int64_t in_channels, int64_t out_channels, const Conv2dOptions& options);
  std::string type_name() const override { return "Conv2d"; }
  std::string arguments() const override;

  int64_t in_channels() const { return in_channels_; }
  int64_t out_channels() const { return out_channels_; }
  const Conv2dOptions& options() const { return options_; }
  const Tensor& weight() const { return weight_.value; }  // [O, K, K, I]
  const Tensor& bias() const { return bias_.value; }      // [O] or undefined

 private:
  int64_t in_channels_;
  int64_t out_channels_;
  Conv2dOptions options_;
  Parameter weight_;
  Parameter bias_;
};

// Transposed convolution whose stride equals its kernel, so that outputs do not overlap.
// Parameters: weight [I, O, K, K], bias [O] (torch.nn.ConvTranspose2d).
class ConvTranspose2d : public Module {
 public:
  ConvTranspose2d(int64_t in_channels, int64_t out_channels, int64_t kernel);
  std::string type_name() const override { return "ConvTranspose2d"; }
  std::string arguments() const override;

  const Tensor& weight() const { return weight_.value; }  // [O, K, K, I]
  const Tensor& bias() const { return bias_.value; }      // [O]

 private:
  int64_t in_channels_;
  int64_t out_channels_;
  int64_t kernel_;
  Parameter weight_;
  Parameter bias_;
};

}  // namespace mrcnn
