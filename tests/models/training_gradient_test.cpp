// Gradients of whole small models in f64 against finite differences.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "core/autograd/engine.h"
#include "core/autograd/grad_mode.h"
#include "core/primitives.h"
#include "models/mask_rcnn/trainable.h"
#include "models/mask_rcnn/training.h"
#include "models/seeded_model.h"
#include "tests/models/small_training.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

double dot(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.numel(); ++i) {
    sum += a.data<const double>()[i] * b.data<const double>()[i];
  }
  return sum;
}

// image_seed: chosen so that no value of the model lies within a step of a kink (a ReLU's zero, a
// tie of a maximum), where the two sides of a difference belong to different functions.
void check_model(const MaskRcnnConfig& config, uint64_t image_seed) {
  TrainableMaskRcnn model(config);
  load_seeded(model.root(), 6);
  model.place({});
  model.root().visit_parameters([](const std::string&, Parameter& parameter) {
    if (parameter.dtype == DType::kF32) parameter.value = cast(parameter.value, DType::kF64);
  });
  const std::vector<NamedParameter> trained = select_trainable(model.root(), {});

  const std::vector<TrainingImage> images{test::noise_with_objects(image_seed, {32, 32}, 2),
                                          test::noise_with_objects(image_seed + 1, {32, 32}, 2)};
  TrainingBatch batch = make_training_batch(images, config, {});
  batch.images.pixels = cast(batch.images.pixels, DType::kF64);
  const Proposals proposals = test::fixed_proposals(2, 32);
  const auto losses = [&] { return model.losses(batch, {.seed = 3}, {}, &proposals); };
  const auto total = [&] {
    double sum = 0;
    for (const Tensor& loss : losses()) sum += loss.data<const double>()[0];
    return sum;
  };
  const TrainingLosses recorded = losses();
  for (const Tensor& loss : recorded) CHECK(loss.data<const double>()[0] > 0);
  backward(recorded);

  // Small enough that hardly a ReLU changes its side: rounding then costs some 1e-9.
  constexpr double kStep = 1e-7;
  const NoGradGuard no_grad;
  for (const NamedParameter& one : trained) {
    CAPTURE(one.name);
    Parameter& parameter = *one.parameter;
    const Tensor gradient = parameter.value.grad();
    REQUIRE(gradient.defined());
    const double length = std::sqrt(dot(gradient, gradient));
    REQUIRE(length > 0);
    // Along the gradient and, as much, in a random direction.
    const Tensor direction = test::random_tensor<double>(gradient.shape(), 12);
    const double scale = 1 / std::sqrt(dot(direction, direction));
    for (int64_t i = 0; i < direction.numel(); ++i) {
      double& value = direction.data<double>()[i];
      value = value * scale + gradient.data<const double>()[i] / length;
    }
    const Tensor kept = parameter.value.detach().clone();
    const auto moved = [&](double step) {
      for (int64_t i = 0; i < kept.numel(); ++i) {
        parameter.value.data<double>()[i] =
            kept.data<const double>()[i] + step * direction.data<const double>()[i];
      }
      return total();
    };
    const double difference = (moved(kStep) - moved(-kStep)) / (2 * kStep);
    moved(0);
    const double expected = dot(gradient, direction);
    CAPTURE(difference);
    CAPTURE(expected);
    CHECK(std::abs(difference - expected) <= 1e-6 * std::max(std::abs(expected), 1e-2));
  }
}

TEST_CASE("A small model with a pyramid, batch norms and a convolutional box head") {
  check_model(test::small_pyramid(), 1);
}

TEST_CASE("A small model with one map, frozen norms and the original losses") {
  check_model(test::small_one_map(), 3);
}

}  // namespace
}  // namespace mrcnn
