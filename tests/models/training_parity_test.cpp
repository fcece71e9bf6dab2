// Losses, gradients and ten steps of whole models against torch (tests/golden/README.md has the
// tensors of the goldens).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "core/autograd/engine.h"
#include "core/autograd/grad_mode.h"
#include "data/image/image.h"
#include "data/masks/rle.h"
#include "kernels/conv/conv2d.h"
#include "layers/state_dict.h"
#include "models/mask_rcnn/trainable.h"
#include "models/mask_rcnn/training.h"
#include "models/seeded_model.h"
#include "models/seeded_weights.h"
#include "models/zoo.h"
#include "tests/support/golden.h"
#include "tests/support/gradient_sketch.h"

namespace mrcnn {
namespace {

constexpr uint64_t kSamplerSeed = 5;

std::vector<TrainingImage> images_of(const test::GoldenFile& file, const MaskRcnnConfig& config) {
  std::vector<TrainingImage> images;
  const Tensor photos = file.golden("photos");
  for (const int64_t photo : photos.span<const int64_t>()) {
    const std::string name = std::to_string(photo);
    const std::string digits = std::string(12 - name.size(), '0') + name;
    TrainingImage image;
    image.pixels = load_image(std::string(MRCNN_TEST_DATA) + "/photos/" + digits + ".jpg",
                              {.exif = ExifPolicy::kIgnore})
                       .pixels;
    const int64_t height = image.pixels.size(0), width = image.pixels.size(1);
    image.placement = ImagePlacement::whole(resized_size(height, width, config.input.resize));
    image.boxes = file.golden(name + "/boxes");
    image.labels = file.golden(name + "/labels");
    const Tensor bytes = file.golden(name + "/rle"), ends = file.golden(name + "/rle_end");
    const auto* const text = static_cast<const char*>(static_cast<const void*>(bytes.raw()));
    int32_t begin = 0;
    for (const int32_t end : ends.span<const int32_t>()) {
      image.masks.push_back(
          rle_from_string({text + begin, static_cast<size_t>(end - begin)}, height, width));
      begin = end;
    }
    images.push_back(std::move(image));
  }
  return images;
}

Proposals proposals_of(const test::GoldenFile& file, int64_t step, int64_t images) {
  std::vector<Tensor> boxes;
  int64_t most = 0;
  for (int64_t n = 0; n < images; ++n) {
    boxes.push_back(file.golden("step" + std::to_string(step) + "/proposals/" + std::to_string(n)));
    most = std::max(most, boxes.back().size(0));
  }
  Proposals proposals{.boxes = Tensor::zeros({images, most, 4}),
                      .scores = Tensor::zeros({images, most}),
                      .count = Tensor::zeros({images}, DType::kI32)};
  for (int64_t n = 0; n < images; ++n) {
    const Tensor& own = boxes[static_cast<size_t>(n)];
    std::memcpy(proposals.boxes.data<float>() + n * most * 4, own.raw(),
                static_cast<size_t>(own.bytes()));
    proposals.count.data<int32_t>()[n] = static_cast<int32_t>(own.size(0));
  }
  return proposals;
}

// Of the reference's proposals, the part that is among ours within a twentieth of a pixel.
double share_found(const Tensor& ours, const Proposals& reference) {
  int64_t found = 0, all = 0;
  for (int64_t n = 0; n < reference.boxes.size(0); ++n) {
    for (int64_t i = 0; i < reference.count.data<const int32_t>()[n]; ++i, ++all) {
      const float* wanted =
          reference.boxes.data<const float>() + (n * reference.boxes.size(1) + i) * 4;
      for (int64_t k = 0; k < ours.size(1); ++k) {
        const float* box = ours.data<const float>() + (n * ours.size(1) + k) * 4;
        float distance = 0;
        for (int e = 0; e < 4; ++e) distance = std::max(distance, std::abs(box[e] - wanted[e]));
        if (distance > 0.05F) continue;
        ++found;
        break;
      }
    }
  }
  return static_cast<double>(found) / static_cast<double>(all);
}

// The whole comparison takes minutes under a sanitizer.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t kMostSteps = 1;
#else
constexpr int64_t kMostSteps = 10;
#endif

// A value whose sign is only rounding lets its whole gradient through in one program and nothing in
// the other: a share e of such values turns a gradient by about sqrt(e). Where the reference's own
// convolution algorithms differ among each other by more than this, one and a half times as much is
// allowed: of the distance there is only an estimate here, within 30 %.
constexpr double kGradientTolerance = 1e-3;
constexpr double kNoiseFactor = 1.5;

struct Case {
  const char* model;
  const char* golden;
  size_t trained_tensors;
};

void check_steps(const Case& one) {
  const test::GoldenFile file(std::string("training_") + one.golden + ".safetensors");
  const Tensor settings = file.golden("settings"), optimizer = file.golden("optimizer");
  const auto setting = [&](size_t i) { return settings.span<const int64_t>()[i]; };
  MaskRcnnConfig config = model_config(one.model, 91);
  config.input.resize.min_size = setting(0);
  config.input.resize.max_size = setting(1);
  config.training.pre_nms_top_n = setting(2);
  config.training.post_nms_top_n = setting(3);
  config.training.rpn_samples = setting(4);
  config.training.roi_samples = setting(5);
  TrainableMaskRcnn model(config);
  load_seeded(model.root(), kGoldenSeed);
  model.place({});
  Sgd sgd(select_trainable(model.root(), {.trainable_body_parts = 3}),
          {.momentum = optimizer.span<const double>()[1],
           .weight_decay = optimizer.span<const double>()[2]});
  CHECK(sgd.parameters().size() == one.trained_tensors);

  const std::vector<TrainingImage> images = images_of(file, config);
  const TrainingBatch batch = make_training_batch(images, config, {});
  const auto num_images = static_cast<int64_t>(images.size());
  const Tensor expected = file.golden("losses");
  const auto run = [&](int64_t step) {
    const Proposals proposals = proposals_of(file, step, num_images);
    const TrainingLosses losses = model.losses(
        batch, {.seed = kSamplerSeed, .step = static_cast<uint32_t>(step)}, {}, &proposals);
    for (size_t k = 0; k < losses.size(); ++k) {
      CAPTURE(kLossNames[k]);
      const double wanted = expected.data<const double>()[step * 5 + static_cast<int64_t>(k)];
      const double actual = static_cast<double>(losses[k].data<const float>()[0]);
      CAPTURE(actual);
      CAPTURE(wanted);
      CHECK(std::abs(actual - wanted) <= (step == 0 ? 1e-5 : 1e-3) * wanted);
    }
    backward(losses);
  };
  const auto compare_gradients = [&] {
    for (const NamedParameter& trained : sgd.parameters()) {
      CAPTURE(trained.name);
      Parameter gradient = *trained.parameter;
      gradient.value = trained.parameter->value.grad();
      REQUIRE(gradient.value.defined());
      const Tensor reference = file.golden("gradient/" + trained.name);
      const double noise = file.golden("noise/" + trained.name).data<const double>()[0];
      CAPTURE(noise);
      CHECK(test::relative_distance(trained.name, to_file_order(gradient), reference) <=
            std::max(kGradientTolerance, kNoiseFactor * noise));
    }
  };

  if (config.backbone.norm == NormKind::kFrozen) {  // else the running statistics would move
    const NoGradGuard no_grad;
    Observer observer;
    observer.tensor = [&](std::string_view name, const Tensor& value) {
      if (name == "proposals") {
        CHECK(share_found(value, proposals_of(file, 0, num_images)) >= 0.98);
      }
    };
    model.losses(batch, {.seed = kSamplerSeed}, observer);
  }
  set_strict_convolution(true);
  run(0);
  compare_gradients();
  set_strict_convolution(false);
  sgd.clear_gradients();
  for (int64_t step = 0; step < std::min(expected.size(0), kMostSteps); ++step) {
    CAPTURE(step);
    run(step);
    if (step == 0) compare_gradients();
    sgd.step(optimizer.span<const double>()[0]);
    sgd.clear_gradients();
  }
}

TEST_CASE("Ten steps of the original system's model equal torch's") {
  check_steps({"maskrcnn_resnet50_c5", "c5", 72});
}

TEST_CASE("Ten steps of maskrcnn_resnet50_fpn equal torchvision's") {
  check_steps({"maskrcnn_resnet50_fpn", "v1", 84});
}

TEST_CASE("Ten steps of maskrcnn_resnet50_fpn_v2 equal torchvision's") {
  check_steps({"maskrcnn_resnet50_fpn_v2", "v2", 192});
}

}  // namespace
}  // namespace mrcnn
