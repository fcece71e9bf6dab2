#include "kernels/conv/onednn.h"

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
  using Convolution = dnnl::convolution_forward;
  const auto input = f32_desc({g.batch, g.channels, g.height, g.width}, Tag::nhwc);
  const auto weight = f32_desc({g.out_channels, g.channels, g.kernel[0], g.kernel[1]}, Tag::any);
  const auto bias = epilogue.bias ? f32_desc({g.out_channels}, Tag::x) : memory::desc();
  const auto output = f32_desc({g.batch, g.out_channels, g.out_height, g.out_width}, Tag::nhwc);
  const memory::dims strides{g.stride[0], g.stride[1]};
  const memory::dims padding{g.padding[0], g.padding[1]};
  const auto attr = attributes(epilogue, output);
#if DNNL_VERSION_MAJOR >= 3
  const Convolution::primitive_desc descriptor(cpu_engine(), prop_kind::forward_inference,
                                               algorithm::convolution_direct, input, weight, bias,
                                               output, strides, padding, padding, attr);
#else
  const Convolution::desc op(prop_kind::forward_inference, algorithm::convolution_direct, input,
                             weight, bias, output, strides, padding, padding);
  const Convolution::primitive_desc descriptor(op, attr, cpu_engine());
#endif
  Operation operation;
  operation.primitive = Convolution(descriptor);
  operation.input = descriptor.src_desc();
  operation.weight = descriptor.weights_desc();
  if (epilogue.bias) operation.bias = descriptor.bias_desc();
  operation.output = descriptor.dst_desc();
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

void execute(const Operation& operation, const Tensor& input, const Tensor& packed_weight,
             const Tensor& bias, const Tensor& residual, const Tensor& output) {
  const Tensor scratchpad = Tensor::empty(Shape{operation.scratchpad_bytes}, DType::kU8);
  const memory::desc scratchpad_desc({operation.scratchpad_bytes}, memory::data_type::u8, Tag::x);
  std::unordered_map<int, memory> arguments{
      {DNNL_ARG_SRC, tensor_memory(operation.input, input)},
      {DNNL_ARG_WEIGHTS, tensor_memory(operation.weight, packed_weight)},
      {DNNL_ARG_DST, tensor_memory(operation.output, output)}};
  if (operation.scratchpad_bytes > 0) {
    arguments.emplace(DNNL_ARG_SCRATCHPAD, tensor_memory(scratchpad_desc, scratchpad));
  }
  if (bias.defined()) arguments.emplace(DNNL_ARG_BIAS, tensor_memory(operation.bias, bias));
  if (residual.defined()) {
    arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
                      tensor_memory(operation.output, residual));
  }
  operation.primitive.execute(cpu_stream(), arguments);
  cpu_stream().wait();
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
