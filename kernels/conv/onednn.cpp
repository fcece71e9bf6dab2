#include "kernels/conv/onednn.h"

#include <utility>

#include "core/parallel.h"

namespace mrcnn::onednn {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
using Tag = memory::format_tag;

memory::desc f32_desc(const memory::dims& dims, Tag tag) {
  return {dims, memory::data_type::f32, tag};
}

void append_relu(dnnl::post_ops& ops) {
#if DNNL_VERSION_MAJOR >= 3
  ops.append_eltwise(algorithm::eltwise_relu, 0.0F, 0.0F);
#else
  ops.append_eltwise(1.0F, algorithm::eltwise_relu, 0.0F, 0.0F);
#endif
}

dnnl::primitive_attr attributes(const Epilogue& epilogue, const memory::desc& output) {
  dnnl::post_ops ops;
  if (epilogue.residual == Residual::kTensor) ops.append_binary(algorithm::binary_add, output);
  if (epilogue.residual == Residual::kInPlace) ops.append_sum();
  if (epilogue.relu) append_relu(ops);
  dnnl::primitive_attr attr;
  attr.set_post_ops(ops);
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

// Memory of the three tensors: activations channels last, the weight as the library likes it.
struct Layouts {
  memory::desc input, weight, output;
  memory::dims strides, padding;

  explicit Layouts(const ConvGeometry& g)
      : input(f32_desc({g.batch, g.channels, g.height, g.width}, Tag::nhwc)),
        weight(f32_desc({g.out_channels, g.channels, g.kernel[0], g.kernel[1]}, Tag::any)),
        output(f32_desc({g.batch, g.out_channels, g.out_height, g.out_width}, Tag::nhwc)),
        strides{g.stride[0], g.stride[1]},
        padding{g.padding[0], g.padding[1]} {}
};

dnnl::convolution_forward::primitive_desc describe_forward(const ConvGeometry& g, prop_kind kind,
                                                           const Epilogue& epilogue) {
  using Convolution = dnnl::convolution_forward;
  const Layouts at(g);
  const auto bias = epilogue.bias ? f32_desc({g.out_channels}, Tag::x) : memory::desc();
  const auto attr = attributes(epilogue, at.output);
#if DNNL_VERSION_MAJOR >= 3
  return {cpu_engine(), kind,       algorithm::convolution_direct,
          at.input,     at.weight,  bias,
          at.output,    at.strides, at.padding,
          at.padding,   attr};
#else
  const Convolution::desc op(kind, algorithm::convolution_direct, at.input, at.weight, bias,
                             at.output, at.strides, at.padding, at.padding);
  return {op, attr, cpu_engine()};
#endif
}

memory tensor_memory(const memory::desc& desc, const Tensor& tensor) {
  return {desc, cpu_engine(), tensor.raw()};
}

}  // namespace

const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream& cpu_stream() {
  thread_local dnnl::stream stream(cpu_engine());
  return stream;
}

memory::desc plain_conv_weight(const ConvGeometry& g) {
  return f32_desc({g.out_channels, g.channels, g.kernel[0], g.kernel[1]}, Tag::ohwi);
}

Operation make_convolution(const ConvGeometry& g, const Epilogue& epilogue) {
  const auto descriptor = describe_forward(g, prop_kind::forward_inference, epilogue);
  Operation operation;
  operation.primitive = dnnl::convolution_forward(descriptor);
  operation.input = descriptor.src_desc();
  operation.weight = descriptor.weights_desc();
  if (epilogue.bias) operation.bias = descriptor.bias_desc();
  operation.output = descriptor.dst_desc();
  operation.scratchpad_bytes = static_cast<int64_t>(descriptor.scratchpad_desc().get_size());
  return operation;
}

Operation make_data_gradient(const ConvGeometry& g) {
  using Gradient = dnnl::convolution_backward_data;
  const Layouts at(g);
  const auto attr = attributes({}, at.output);
  const auto forward = describe_forward(g, prop_kind::forward_training, {});  // a hint
#if DNNL_VERSION_MAJOR >= 3
  const Gradient::primitive_desc descriptor(cpu_engine(), algorithm::convolution_direct, at.input,
                                            at.weight, at.output, at.strides, at.padding,
                                            at.padding, forward, attr);
#else
  const Gradient::desc op(algorithm::convolution_direct, at.input, at.weight, at.output, at.strides,
                          at.padding, at.padding);
  const Gradient::primitive_desc descriptor(op, attr, cpu_engine(), forward);
#endif
  Operation operation;
  operation.primitive = Gradient(descriptor);
  operation.input = descriptor.diff_src_desc();
  operation.weight = descriptor.weights_desc();
  operation.output = descriptor.diff_dst_desc();
  operation.scratchpad_bytes = static_cast<int64_t>(descriptor.scratchpad_desc().get_size());
  return operation;
}

Tensor pack(const Tensor& weight, const memory::desc& from, const memory::desc& to) {
  if (from == to) return weight;
  const Tensor packed =
      Tensor::empty(Shape{static_cast<int64_t>(to.get_size() + sizeof(float) - 1) /
                          static_cast<int64_t>(sizeof(float))});
  memory source = tensor_memory(from, weight);
  memory target = tensor_memory(to, packed);
  dnnl::reorder(source, target).execute(cpu_stream(), source, target);
  cpu_stream().wait();
  return packed;
}

namespace {

// Adds the scratchpad to the arguments, runs and waits.
void run(const Operation& operation, std::unordered_map<int, memory> arguments) {
  const Tensor scratchpad = Tensor::empty(Shape{operation.scratchpad_bytes}, DType::kU8);
  const memory::desc scratchpad_desc({operation.scratchpad_bytes}, memory::data_type::u8, Tag::x);
  if (operation.scratchpad_bytes > 0) {
    arguments.emplace(DNNL_ARG_SCRATCHPAD, tensor_memory(scratchpad_desc, scratchpad));
  }
  operation.primitive.execute(cpu_stream(), arguments);
  cpu_stream().wait();
}

}  // namespace

void execute(const Operation& operation, const Tensor& input, const Tensor& packed_weight,
             const Tensor& bias, const Tensor& residual, const Tensor& output) {
  std::unordered_map<int, memory> arguments{
      {DNNL_ARG_SRC, tensor_memory(operation.input, input)},
      {DNNL_ARG_WEIGHTS, tensor_memory(operation.weight, packed_weight)},
      {DNNL_ARG_DST, tensor_memory(operation.output, output)}};
  if (bias.defined()) arguments.emplace(DNNL_ARG_BIAS, tensor_memory(operation.bias, bias));
  if (residual.defined()) {
    arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
                      tensor_memory(operation.output, residual));
  }
  run(operation, std::move(arguments));
}

void execute_data_gradient(const Operation& operation, const Tensor& grad_output,
                           const Tensor& packed_weight, const Tensor& grad_input) {
  run(operation, {{DNNL_ARG_DIFF_DST, tensor_memory(operation.output, grad_output)},
                  {DNNL_ARG_WEIGHTS, tensor_memory(operation.weight, packed_weight)},
                  {DNNL_ARG_DIFF_SRC, tensor_memory(operation.input, grad_input)}});
}

void multiply_on_one_thread(const Product& p) {
  // Inside a parallel loop the library uses one thread by itself; a loop that has one pass only is
  // not parallel. The number of threads is the calling thread's.
  const int threads = num_threads();
  if (threads > 1) set_num_threads(1);
  const dnnl_status_t status =
      dnnl_sgemm(p.a_transposed ? 'T' : 'N', p.b_transposed ? 'T' : 'N', p.rows, p.columns, p.depth,
                 1.0F, p.a, p.a_stride, p.b, p.b_stride, 0.0F, p.output, p.output_stride);
  if (threads > 1) set_num_threads(threads);
  if (status != dnnl_success) throw dnnl::error(status, "sgemm failed");
}

}  // namespace mrcnn::onednn
