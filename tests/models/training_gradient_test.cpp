// Gradients of whole small models in f64 against finite differences.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "core/autograd/engine.h"
#include "core/autograd/grad_mode.h"
#include "core/primitives.h"
#include "data/masks/rle.h"
#include "models/mask_rcnn/trainable.h"
#include "models/mask_rcnn/training.h"
#include "models/seeded_model.h"
#include "models/zoo.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

TrainingImage image_with_two_objects(uint64_t seed) {
  const int64_t height = 32, width = 32;
  TrainingImage image;
  image.pixels = Tensor::empty({height, width, 3}, DType::kU8);
  const RandomStream stream{.seed = seed};
  uint64_t i = 0;
  for (uint8_t& value : image.pixels.span<uint8_t>()) {
    value = static_cast<uint8_t>(stream.word(i++));
  }
  image.placement = ImagePlacement::whole({height, width});
  image.boxes = Tensor::from(std::vector<float>{2, 3, 20, 18, 12, 9, 30, 31}, {2, 4});
  image.labels = Tensor::from(std::vector<int32_t>{1, 2}, {2});
  for (int64_t g = 0; g < 2; ++g) {
    const float* box = image.boxes.data<const float>() + g * 4;
    std::vector<uint8_t> bitmap(static_cast<size_t>(height * width), 0);
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        const bool inside = static_cast<float>(x) >= box[0] && static_cast<float>(x) < box[2] &&
                            static_cast<float>(y) >= box[1] && static_cast<float>(y) < box[3];
        bitmap[static_cast<size_t>(y * width + x)] = inside && (x + y) % 5 != 0;
      }
    }
    image.masks.push_back(rle_from_bitmap(bitmap, height, width));
  }
  return image;
}

// A few dozen boxes around the objects and elsewhere. They stay what they are: proposals are
// constants of the losses, and which ones there are would jump with the weights.
Proposals fixed_proposals(int64_t images) {
  const int64_t count = 24;
  Proposals proposals{.boxes = Tensor::empty({images, count, 4}),
                      .scores = Tensor::zeros({images, count}),
                      .count = Tensor::empty({images}, DType::kI32)};
  fill_(proposals.count, static_cast<double>(count));
  const Tensor random = test::random_tensor({images * count, 4}, 8, 0, 1);
  for (int64_t i = 0; i < images * count; ++i) {
    const float* r = random.data<const float>() + i * 4;
    float* box = proposals.boxes.data<float>() + i * 4;
    box[0] = r[0] * 14;
    box[1] = r[1] * 14;
    box[2] = box[0] + 4 + r[2] * 14;
    box[3] = box[1] + 4 + r[3] * 14;
  }
  return proposals;
}

MaskRcnnConfig small(MaskRcnnConfig config) {
  config.channels = 16;
  config.box.hidden = 24;
  config.backbone.blocks = {1, 1, 1, 1};
  config.mask.num_convs = 2;
  config.training.rpn_samples = 32;
  config.training.roi_samples = 16;
  return config;
}

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

  const std::vector<TrainingImage> images{image_with_two_objects(image_seed),
                                          image_with_two_objects(image_seed + 1)};
  TrainingBatch batch = make_training_batch(images, config, {});
  batch.images.pixels = cast(batch.images.pixels, DType::kF64);
  const Proposals proposals = fixed_proposals(2);
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
  MaskRcnnConfig config = small(model_config("maskrcnn_resnet18_fpn", 3));
  config.neck_norm = NormKind::kBatch;
  // The last map is one pixel an image. Two pixels of nearly one value divided by their deviation
  // bend so sharply with the usual 1e-5 that no difference is a derivative.
  config.backbone.norm_eps = 0.1;
  config.neck_norm_eps = 0.1;
  config.box.head = BoxHeadKind::kFourConvOneFc;
  check_model(config, 1);
}

TEST_CASE("A small model with one map, frozen norms and the original losses") {
  MaskRcnnConfig config = small(model_config("maskrcnn_resnet50_c5", 3));
  config.backbone.block = BlockKind::kBasic;
  config.anchors.sizes = {{8, 16, 32}};
  check_model(config, 3);
}

}  // namespace
}  // namespace mrcnn
