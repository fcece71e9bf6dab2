#include "kernels/conv/mask_predict.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/device_memory.h"
#include "core/error.h"
#include "core/graph.h"
#include "core/primitives.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv_transpose2d.h"
#include "tests/kernels/conv/conv_test_tools.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::deviation;
using test::random_tensor;
using test::to_f64;

struct Layers {
  Tensor deconv_weight = random_tensor({24, 2, 2, 16}, 1);
  Tensor deconv_bias = random_tensor({24}, 2);
  Tensor logit_weight = random_tensor({5, 1, 1, 24}, 3);
  Tensor logit_bias = random_tensor({5}, 4);

  PreparedMaskPredictor predictor() const {
    return {deconv_weight, deconv_bias, logit_weight, logit_bias};
  }
};

Tensor labels_of(int64_t detections) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < detections; ++i) labels.push_back((i * 3 + 1) % 5);
  return Tensor::from(labels, {detections});
}

// All classes' maps in f64, then the label's.
Tensor expected_logits(const Layers& layers, const Tensor& input, const Tensor& labels) {
  const Tensor hidden = conv_transpose2d(to_f64(input), to_f64(layers.deconv_weight),
                                         to_f64(layers.deconv_bias), {.relu = true});
  const Tensor all = conv2d(hidden, to_f64(layers.logit_weight), to_f64(layers.logit_bias), {}, {});
  Tensor logits = Tensor::empty({all.size(0), all.size(1), all.size(2)}, DType::kF64);
  const int64_t per_detection = all.size(1) * all.size(2);
  for (int64_t i = 0; i < logits.numel(); ++i) {
    const int64_t label = labels.data<const int64_t>()[i / per_detection];
    logits.data<double>()[i] = all.data<const double>()[i * all.size(3) + label];
  }
  return logits;
}

TEST_CASE("Rejects shapes, types and labels that do not fit") {
  const Layers layers;
  const PreparedMaskPredictor predictor = layers.predictor();
  const Tensor input = random_tensor({2, 4, 4, 16}, 5);
  CHECK_THROWS_WITH_AS(predictor.run(random_tensor({2, 4, 4, 15}, 5), labels_of(2)),
                       doctest::Contains("[mask_predict] input must be [D,h,w,16]"), ShapeError);
  CHECK_THROWS_WITH_AS(predictor.run(input, labels_of(3)), doctest::Contains("labels must be i64"),
                       ShapeError);
  CHECK_THROWS_AS(predictor.run(input, Tensor::zeros({2}, DType::kI32)), ShapeError);
  CHECK_THROWS_AS(predictor.run(to_f64(input), labels_of(2)), DTypeError);
  const Tensor wrong = Tensor::from<int64_t>(std::vector<int64_t>{0, 5}, {2});
  CHECK_THROWS_WITH_AS(predictor.run(input, wrong),
                       doctest::Contains("label 5 is not one of 5 classes"), ShapeError);
  CHECK_THROWS_WITH_AS(
      PreparedMaskPredictor(layers.deconv_weight, {}, random_tensor({5, 23}, 1), {}),
      doctest::Contains("[K,24]"), ShapeError);
  CHECK_THROWS_AS(
      PreparedMaskPredictor(layers.deconv_weight, {}, layers.logit_weight, random_tensor({4}, 1)),
      ShapeError);
  CHECK_THROWS_AS(PreparedMaskPredictor(to_f64(layers.deconv_weight), {}, layers.logit_weight, {}),
                  DTypeError);
}

TEST_CASE("Logits and probabilities match the unfused layers in f64") {
  const Layers layers;
  const PreparedMaskPredictor predictor = layers.predictor();
  for (const int64_t detections : {1, 3, 11}) {  // 11 * 14 * 14 is more than a block
    const Tensor input = random_tensor({detections, 14, 14, 16}, 6);
    const Tensor labels = labels_of(detections);
    Tensor expected = expected_logits(layers, input, labels);
    CHECK(deviation(predictor.run(input, labels, MaskOutput::kLogits), expected).max < 1e-5);
    for (double& value : expected.span<double>()) value = 1 / (1 + std::exp(-value));
    CHECK(deviation(predictor.run(input, labels), expected).max < 1e-5);
  }
}

TEST_CASE("Odd sizes, absent biases and a matrix as the logit layer") {
  Layers layers;
  layers.deconv_weight = random_tensor({7, 3, 2, 5}, 1);
  layers.deconv_bias = {};
  layers.logit_weight = random_tensor({5, 1, 1, 7}, 3);
  layers.logit_bias = {};
  const PreparedMaskPredictor predictor(layers.deconv_weight, {},
                                        layers.logit_weight.reshape({5, 7}), {});
  const Tensor input = random_tensor({3, 3, 5, 5}, 6);
  const Tensor output = predictor.run(input, labels_of(3), MaskOutput::kLogits);
  CHECK(output.shape() == Shape{3, 9, 10});
  CHECK(deviation(output, expected_logits(layers, input, labels_of(3))).max < 1e-5);
}

// The layers, input and weights with H hidden channels that the GPU's cases use.
struct Problem {
  Layers layers;
  Tensor input;
  Tensor labels;

  Problem(int64_t hidden, const Shape& input_shape) {
    layers.deconv_weight = random_tensor({hidden, 2, 2, input_shape[3]}, 1);
    layers.deconv_bias = random_tensor({hidden}, 2);
    layers.logit_weight = random_tensor({5, 1, 1, hidden}, 3);
    input = random_tensor(input_shape, 5);
    labels = labels_of(input_shape[0]);
  }
};

TEST_CASE("CUDA matches the unfused layers in f64") {
  test::on_cuda([](Device device) {
    // Packs of 16 bytes and none, one and several packs a lane; 132 vectors, more than a block.
    for (const int64_t hidden : {24, 7, 130, 132}) {
      CAPTURE(hidden);
      const Problem p(hidden, hidden == 7 ? Shape{2, 3, 11, 5} : Shape{3, 2, 3, 8});
      const PreparedMaskPredictor predictor(
          copy_to(p.layers.deconv_weight, device), copy_to(p.layers.deconv_bias, device),
          copy_to(p.layers.logit_weight, device), copy_to(p.layers.logit_bias, device));
      const Tensor input = copy_to(p.input, device), labels = copy_to(p.labels, device);
      Tensor expected = expected_logits(p.layers, p.input, p.labels);
      const Tensor logits = predictor.run(input, labels, MaskOutput::kLogits);
      CHECK(deviation(copy_to(logits, Device{}), expected).max < 1e-5);
      for (double& value : expected.span<double>()) value = 1 / (1 + std::exp(-value));
      CHECK(deviation(copy_to(predictor.run(input, labels), Device{}), expected).max < 1e-5);
    }
  });
}

TEST_CASE("CUDA in bf16: logit weights of both types") {
  test::on_cuda([](Device device) {
    const auto bf16 = [&](const Tensor& t) { return copy_to(cast(t, DType::kBF16), device); };
    for (const int64_t hidden : {40, 3}) {
      CAPTURE(hidden);
      Problem p(hidden, {2, 3, 4, 8});
      for (Tensor* tensor : {&p.input, &p.layers.deconv_weight, &p.layers.logit_weight}) {
        *tensor = test::rounded_to_bf16(*tensor);
      }
      const Tensor expected = expected_logits(p.layers, p.input, p.labels);
      for (const bool wide : {false, true}) {
        const Tensor& weight = p.layers.logit_weight;
        const PreparedMaskPredictor predictor(bf16(p.layers.deconv_weight),
                                              copy_to(p.layers.deconv_bias, device),
                                              wide ? copy_to(weight, device) : bf16(weight), {});
        // Without its bias; hidden values are rounded to 8 bits, their errors average out.
        Tensor logits = copy_to(
            predictor.run(bf16(p.input), copy_to(p.labels, device), MaskOutput::kLogits), Device{});
        for (int64_t i = 0; i < logits.numel(); ++i) {
          const int64_t label = p.labels.data<const int64_t>()[i / 48];
          logits.data<float>()[i] += p.layers.logit_bias.data<const float>()[label];
        }
        CHECK(deviation(logits, expected).max < 1e-2);
      }
    }
  });
}

TEST_CASE("CUDA: a captured graph predicts for the labels that it finds when it is replayed") {
  test::on_cuda([](Device device) {
    const Problem p(8, {3, 2, 2, 4});
    const PreparedMaskPredictor predictor(copy_to(p.layers.deconv_weight, device), {},
                                          copy_to(p.layers.logit_weight, device), {});
    const Tensor input = copy_to(p.input, device), labels = copy_to(p.labels, device);
    MemoryArena arena(device);
    CapturedGraph graph(device, arena);
    const Tensor probs = graph.capture([&] { return predictor.run(input, labels); });
    const Tensor others = Tensor::from(std::vector<int64_t>{4, 0, 2}, {3});
    upload_bytes(labels.raw(), device, others.raw(), others.bytes());
    graph.replay();
    const Tensor expected = copy_to(predictor.run(input, copy_to(others, device)), Device{});
    CHECK(test::count_different_bits(probs, expected) == 0);
  });
}

TEST_CASE("CUDA edges: no detections, labels that are no class, wrong devices and types") {
  test::on_cuda([](Device device) {
    const Problem p(8, {2, 1, 2, 4});
    const PreparedMaskPredictor predictor(copy_to(p.layers.deconv_weight, device), {},
                                          copy_to(p.layers.logit_weight, device), {});
    const Tensor input = copy_to(p.input, device);
    const auto run = [&](const std::vector<int64_t>& labels) {
      return predictor.run(input, copy_to(Tensor::from(labels, {2}), device));
    };
    CHECK(test::count_different_bits(run({-1, 5}), copy_to(run({0, 4}), Device{})) == 0);
    CHECK(test::count_different_bits(run({INT64_MIN, INT64_MAX}), copy_to(run({0, 4}), Device{})) ==
          0);
    const Tensor no_labels = Tensor::empty({0}, DType::kI64, device);
    CHECK(predictor.run(Tensor::empty({0, 14, 14, 4}, DType::kF32, device), no_labels).shape() ==
          Shape{0, 28, 28});
    CHECK_THROWS_AS(predictor.run(p.input, p.labels), DeviceError);
    CHECK_THROWS_AS(predictor.run(input, p.labels), DeviceError);
    CHECK_THROWS_AS(
        predictor.run(copy_to(cast(p.input, DType::kBF16), device), copy_to(p.labels, device)),
        DTypeError);
    CHECK_THROWS_AS(PreparedMaskPredictor(copy_to(p.layers.deconv_weight, device), {},
                                          p.layers.logit_weight, {}),
                    DeviceError);
  });
}

TEST_CASE("Edges: no detections, and logits far from zero") {
  Layers layers;
  CHECK(layers.predictor().run(Tensor::empty({0, 14, 14, 16}), labels_of(0)).shape() ==
        Shape{0, 28, 28});
  layers.logit_bias = Tensor::from<float>(std::vector<float>{-500, 500, 0, 0, 0}, {5});
  const Tensor labels = Tensor::from<int64_t>(std::vector<int64_t>{0, 1}, {2});
  const Tensor output = layers.predictor().run(Tensor::zeros({2, 1, 1, 16}), labels);
  CHECK(output.data<const float>()[0] == 0.0F);
  CHECK(output.data<const float>()[4] == 1.0F);
}

}  // namespace
}  // namespace mrcnn
