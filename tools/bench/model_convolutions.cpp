#include "tools/bench/model_convolutions.h"

#include <set>

#include "models/mask_rcnn/tree.h"

namespace mrcnn {
namespace {

using cuda::ConvolutionPass;
using cuda::ConvolutionProblem;

constexpr int64_t kImageChannels = 3;
constexpr int64_t kPixelBytes = 16;  // of the network's input on a GPU, as models/mask_rcnn has it
constexpr int64_t kBoxGrid = 7;      // RoIAlign output of the box head
constexpr int64_t kMaskGrid = 14;    // and of the mask head

struct Maps {
  int64_t batch, height, width;
};

struct Epilogue {
  bool residual = false;
  bool relu = false;
};

class Walk {
 public:
  Walk(const MaskRcnnConfig& config, const ConvolutionInput& input)
      : config_(config), input_(input), tree_(build_tree(config)) {}

  std::vector<ConvolutionProblem> run() {
    add_heads(add_neck(add_body()));
    add_box_head();
    add_mask_head();
    return problems_;
  }

 private:
  void add(const ConvolutionProblem& problem) {
    if (seen_.insert(problem).second) problems_.push_back(problem);
  }

  // Every convolution has a bias: its own or that of the normalisation folded into it.
  Maps add_conv(const Conv2d& conv, const Maps& in, const Epilogue& epilogue) {
    return add_conv(conv, conv.out_channels(), in, epilogue);
  }

  Maps add_conv(const Conv2d& conv, int64_t out_channels, const Maps& in,
                const Epilogue& epilogue) {
    const Conv2dOptions& o = conv.options();
    const auto size = [&o](int64_t extent) {
      return (extent + 2 * o.padding - o.kernel) / o.stride + 1;
    };
    const Maps out{in.batch, size(in.height), size(in.width)};
    add({.batch = in.batch,
         .height = in.height,
         .width = in.width,
         .channels = conv.in_channels(),
         .out_channels = out_channels,
         .out_height = out.height,
         .out_width = out.width,
         .kernel = {o.kernel, o.kernel},
         .stride = {o.stride, o.stride},
         .padding = {o.padding, o.padding},
         .bias = true,
         .residual = epilogue.residual,
         .relu = epilogue.relu});
    return out;
  }

  void add_product(int64_t rows, int64_t in, int64_t out, bool relu) {
    add({.batch = 1,
         .height = rows,
         .width = 1,
         .channels = in,
         .out_channels = out,
         .out_height = rows,
         .out_width = 1,
         .bias = true,
         .relu = relu});
  }

  std::vector<Maps> add_body() {
    const Maps image{input_.num_images, input_.height, input_.width};
    const Maps stem = add_conv(*tree_.body.stem.conv, image, {.relu = true});
    // Max pool 3x3, stride 2, padding 1.
    Maps x{stem.batch, (stem.height + 1) / 2, (stem.width + 1) / 2};
    std::vector<Maps> maps;
    for (const auto& stage : tree_.body.stages) {
      for (const ResidualBlockLayers& block : stage) {
        if (block.downsample.conv != nullptr) add_conv(*block.downsample.conv, x, {});
        for (const ConvNorm& conv : block.convs) {
          x = add_conv(*conv.conv, x, {.residual = &conv == &block.convs.back(), .relu = true});
        }
      }
      maps.push_back(x);
    }
    return maps;
  }

  std::vector<Maps> add_neck(const std::vector<Maps>& maps) {
    const size_t used = tree_.neck.inner_blocks.size();
    std::vector<Maps> outputs(maps.end() - static_cast<std::ptrdiff_t>(used), maps.end());
    for (size_t i = 0; i < used; ++i) {
      add_conv(*tree_.neck.inner_blocks[i].conv, outputs[i], {});
      add_conv(*tree_.neck.layer_blocks[i].conv, outputs[i], {});
    }
    if (config_.fpn) {
      const Maps& last = outputs.back();
      outputs.push_back({last.batch, (last.height + 1) / 2, (last.width + 1) / 2});
    }
    return outputs;
  }

  // Logits and deltas are one convolution.
  void add_heads(const std::vector<Maps>& maps) {
    const int64_t outputs = tree_.rpn.logits->out_channels() + tree_.rpn.deltas->out_channels();
    for (const Maps& map : maps) {
      for (const Conv2d* conv : tree_.rpn.convs) add_conv(*conv, map, {.relu = true});
      add_conv(*tree_.rpn.logits, outputs, map, {});
    }
  }

  void add_box_head() {
    const int64_t rois = input_.num_images * input_.num_proposals;
    for (const ConvNorm& conv : tree_.box.convs) {
      add_conv(*conv.conv, {rois, kBoxGrid, kBoxGrid}, {.relu = true});
    }
    int64_t in = config_.channels * kBoxGrid * kBoxGrid;
    for (size_t i = 0; i < tree_.box.fcs.size(); ++i) {
      add_product(rois, in, config_.box.hidden, true);
      in = config_.box.hidden;
    }
    add_product(rois, in, config_.num_classes * 5, false);  // logits and deltas
  }

  void add_mask_head() {
    const int64_t rois = input_.num_images * input_.num_detections;
    for (const ConvNorm& conv : tree_.mask.convs) {
      add_conv(*conv.conv, {rois, kMaskGrid, kMaskGrid}, {.relu = true});
    }
    // The transposed convolution is a product with the weights of its four taps.
    add_product(rois * kMaskGrid * kMaskGrid, config_.channels, config_.channels * 4, true);
  }

  const MaskRcnnConfig& config_;
  ConvolutionInput input_;
  MaskRcnnTree tree_;
  std::vector<ConvolutionProblem> problems_;
  std::set<ConvolutionProblem> seen_;
};

}  // namespace

std::vector<ConvolutionProblem> model_convolutions(const MaskRcnnConfig& config,
                                                   const ConvolutionInput& input) {
  return Walk(config, input).run();
}

ConvolutionProblem with_precision(ConvolutionProblem problem, Precision precision) {
  problem.dtype = precision == Precision::kBf16 ? DType::kBF16 : DType::kF32;
  problem.tf32 = precision == Precision::kTf32;
  if (problem.channels == kImageChannels)
    problem.channels = kPixelBytes / dtype_bytes(problem.dtype);
  return problem;
}

ConvolutionProblem as_pass(ConvolutionProblem problem, ConvolutionPass pass) {
  problem.pass = pass;
  if (pass != ConvolutionPass::kForward) problem.bias = problem.residual = problem.relu = false;
  return problem;
}

}  // namespace mrcnn
