#include "kernels/conv/mask_predict.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/error.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv_transpose2d.h"
#include "tests/kernels/conv/conv_test_tools.h"
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
  const Tensor hidden =
      conv_transpose2d(to_f64(input), to_f64(layers.deconv_weight), to_f64(layers.deconv_bias),
                       /*relu=*/true);
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
