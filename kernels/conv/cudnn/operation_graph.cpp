#include "kernels/conv/cudnn/operation_graph.h"

#include <array>

namespace mrcnn::cudnn {
namespace {

using cuda::ConvolutionPass;
using cuda::ConvolutionProblem;

constexpr int64_t kAlignment = 16;  // bytes; what engines need for their widest loads

cudnnDataType_t data_type(DType dtype) {
  return dtype == DType::kBF16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

std::array<int64_t, 4> input_dims(const ConvolutionProblem& p) {
  return {p.batch, p.channels, p.height, p.width};
}

std::array<int64_t, 4> output_dims(const ConvolutionProblem& p) {
  return {p.batch, p.out_channels, p.out_height, p.out_width};
}

std::array<int64_t, 4> weight_dims(const ConvolutionProblem& p) {
  return {p.out_channels, p.channels, p.kernel[0], p.kernel[1]};
}

Descriptor make_tensor(int64_t id, const std::array<int64_t, 4>& dims, cudnnDataType_t dtype,
                       bool is_virtual) {
  Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const std::array<int64_t, 4> channels_last{dims[1] * dims[2] * dims[3], 1, dims[3] * dims[1],
                                             dims[1]};
  tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, dtype);
  tensor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims);
  tensor.set(CUDNN_ATTR_TENSOR_STRIDES, channels_last);
  tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
  tensor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, kAlignment);
  tensor.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_virtual);
  tensor.finalize();
  return tensor;
}

Descriptor make_geometry(const ConvolutionProblem& p) {
  Descriptor geometry(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  geometry.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64_t{2});
  geometry.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  geometry.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
  geometry.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, p.padding);
  geometry.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, p.padding);
  geometry.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, std::array<int64_t, 2>{1, 1});
  geometry.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, p.stride);
  geometry.finalize();
  return geometry;
}

// The operation of a pass and the attributes that name its tensors by their part in the problem.
struct PassAttributes {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t geometry, input, weight, output, alpha, beta;
};

PassAttributes attributes_of(ConvolutionPass pass) {
  switch (pass) {
    case ConvolutionPass::kDataGradient:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    case ConvolutionPass::kWeightGradient:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
    case ConvolutionPass::kForward:
      break;
  }
  return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
}

}  // namespace

OperationGraph::OperationGraph(const ConvolutionProblem& problem, GraphPart part)
    : problem_(problem), graph_(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR) {
  const ConvolutionProblem& p = problem_;
  const cudnnDataType_t type = data_type(p.dtype);
  const bool has_epilogue = p.bias || p.residual || p.relu;
  if (part == GraphPart::kEpilogue) {
    add_epilogue(&tensor(kInput, output_dims(p), type));
  } else if (part == GraphPart::kWhole && has_epilogue) {
    Descriptor& sums = intermediate(output_dims(p));
    add_convolution(sums);
    add_epilogue(&sums);
  } else if (p.pass == ConvolutionPass::kForward) {
    add_convolution(tensor(kOutput, output_dims(p), type));
  } else if (p.pass == ConvolutionPass::kDataGradient) {
    add_convolution(tensor(kOutput, input_dims(p), type));
  } else {
    add_convolution(tensor(kOutput, weight_dims(p), type));
  }
  graph_.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations_);
  graph_.finalize();
}

Descriptor& OperationGraph::tensor(int64_t id, const Dims& dims, cudnnDataType_t dtype) {
  ids_.push_back(id);
  return parts_.emplace_back(make_tensor(id, dims, dtype, false));
}

Descriptor& OperationGraph::intermediate(const Dims& dims) {
  return parts_.emplace_back(make_tensor(next_intermediate_++, dims, CUDNN_DATA_FLOAT, true));
}

void OperationGraph::add_convolution(Descriptor& output) {
  const ConvolutionProblem& p = problem_;
  const cudnnDataType_t type = data_type(p.dtype);
  const PassAttributes names = attributes_of(p.pass);
  const bool from_output = p.pass == ConvolutionPass::kDataGradient;
  const bool to_weight = p.pass == ConvolutionPass::kWeightGradient;
  const Descriptor& geometry = parts_.emplace_back(make_geometry(p));
  const Descriptor& input = tensor(kInput, from_output ? output_dims(p) : input_dims(p), type);
  const Descriptor& weight = tensor(kWeight, to_weight ? output_dims(p) : weight_dims(p), type);
  Descriptor& operation = parts_.emplace_back(names.operation);
  operation.set(names.geometry, geometry);
  operation.set(names.input, input);
  operation.set(names.weight, weight);
  operation.set(names.output, output);
  operation.set(names.alpha, 1.0F);
  operation.set(names.beta, 0.0F);
  operation.finalize();
  operations_.push_back(operation.get());
}

void OperationGraph::add_pointwise(cudnnPointwiseMode_t mode, const Descriptor& a,
                                   const Descriptor* b, const Descriptor& output) {
  Descriptor& function = parts_.emplace_back(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  function.set(CUDNN_ATTR_POINTWISE_MODE, mode);
  function.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  function.finalize();
  Descriptor& operation = parts_.emplace_back(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, a);
  if (b != nullptr) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, output);
  operation.finalize();
  operations_.push_back(operation.get());
}

// output = relu?(value + bias + residual); each step's result is an intermediate but the last's.
void OperationGraph::add_epilogue(Descriptor* value) {
  const ConvolutionProblem& p = problem_;
  const cudnnDataType_t type = data_type(p.dtype);
  int remaining = int{p.bias} + int{p.residual} + int{p.relu};
  const auto next = [&]() -> Descriptor& {
    return --remaining == 0 ? tensor(kOutput, output_dims(p), type) : intermediate(output_dims(p));
  };
  if (p.bias) {
    const Descriptor& bias = tensor(kBias, {1, p.out_channels, 1, 1}, CUDNN_DATA_FLOAT);
    Descriptor& sum = next();
    add_pointwise(CUDNN_POINTWISE_ADD, *value, &bias, sum);
    value = &sum;
  }
  if (p.residual) {
    const Descriptor& residual = tensor(kResidual, output_dims(p), type);
    Descriptor& sum = next();
    add_pointwise(CUDNN_POINTWISE_ADD, *value, &residual, sum);
    value = &sum;
  }
  if (p.relu) add_pointwise(CUDNN_POINTWISE_RELU_FWD, *value, nullptr, next());
}

}  // namespace mrcnn::cudnn
