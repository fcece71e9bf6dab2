// Losses, gradients and ten steps of whole models against torch (tests/golden/README.md has the
// tensors of the goldens). In f64 both must be the same function. In f32 the gradients are compared
// with torch's f64 ones.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/autograd/engine.h"
#include "core/autograd/grad_mode.h"
#include "core/primitives.h"
#include "data/image/image.h"
#include "data/masks/rle.h"
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

// What is seen of an image in the window (top, left, height, width).
TrainingImage cut(const TrainingImage& whole, std::span<const int64_t> window) {
  const int64_t top = window[0], left = window[1], height = window[2], width = window[3];
  const int64_t whole_width = whole.pixels.size(1);
  const auto cut_bytes = [&](const uint8_t* from, int64_t channels, uint8_t* to) {
    for (int64_t y = 0; y < height; ++y) {
      std::copy_n(from + ((top + y) * whole_width + left) * channels, width * channels,
                  to + y * width * channels);
    }
  };
  TrainingImage seen;
  seen.pixels = Tensor::empty({height, width, 3}, DType::kU8);
  cut_bytes(whole.pixels.data<const uint8_t>(), 3, seen.pixels.data<uint8_t>());
  seen.placement = ImagePlacement::whole({height, width});
  std::vector<float> boxes;
  std::vector<int32_t> labels;
  std::vector<uint8_t> bitmap(static_cast<size_t>(whole.pixels.size(0) * whole_width));
  std::vector<uint8_t> part(static_cast<size_t>(height * width));
  for (size_t g = 0; g < whole.masks.size(); ++g) {
    const float* box = whole.boxes.data<const float>() + 4 * g;
    const auto x = [&](float value) {
      return std::clamp(value - static_cast<float>(left), 0.0F, static_cast<float>(width));
    };
    const auto y = [&](float value) {
      return std::clamp(value - static_cast<float>(top), 0.0F, static_cast<float>(height));
    };
    if (x(box[2]) <= x(box[0]) || y(box[3]) <= y(box[1])) continue;
    boxes.insert(boxes.end(), {x(box[0]), y(box[1]), x(box[2]), y(box[3])});
    labels.push_back(whole.labels.data<const int32_t>()[g]);
    rle_to_bitmap(whole.masks[g], bitmap);
    cut_bytes(bitmap.data(), 1, part.data());
    seen.masks.push_back(rle_from_bitmap(part, height, width));
  }
  const auto count = static_cast<int64_t>(labels.size());
  seen.boxes = Tensor::from(boxes, {count, 4});
  seen.labels = Tensor::from(labels, {count});
  return seen;
}

// part: "steps/", "float32/" or "float64/", the start of the arrays' names.
std::vector<TrainingImage> images_of(const test::GoldenFile& file, const std::string& part,
                                     const MaskRcnnConfig& config) {
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
    if (file.has(part + "windows")) {
      const Tensor windows = file.golden(part + "windows");
      image = cut(image, windows.span<const int64_t>().subspan(4 * images.size(), 4));
    }
    images.push_back(std::move(image));
  }
  return images;
}

Proposals proposals_of(const test::GoldenFile& file, const std::string& part, int64_t step,
                       int64_t images) {
  std::vector<Tensor> boxes;
  int64_t most = 0;
  for (int64_t n = 0; n < images; ++n) {
    boxes.push_back(
        file.golden(part + "step" + std::to_string(step) + "/proposals/" + std::to_string(n)));
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

// Under a sanitizer ten steps and the plain loops of f64 take minutes.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

struct Case {
  const char* model;
  const char* golden;
  size_t trained_tensors;
};

test::GoldenFile golden_of(const Case& one) {
  return test::GoldenFile(std::string("training_") + one.golden + ".safetensors");
}

MaskRcnnConfig config_of(const Case& one, const test::GoldenFile& file, const std::string& part) {
  const Tensor settings = file.golden(part + "settings");
  const auto setting = [&](size_t i) { return settings.span<const int64_t>()[i]; };
  MaskRcnnConfig config = model_config(one.model, 91);
  config.input.resize.min_size = setting(0);
  config.input.resize.max_size = setting(1);
  config.training.pre_nms_top_n = setting(2);
  config.training.post_nms_top_n = setting(3);
  config.training.rpn_samples = setting(4);
  config.training.roi_samples = setting(5);
  return config;
}

void load(TrainableMaskRcnn& model, DType dtype) {
  load_seeded(model.root(), kGoldenSeed);
  model.place({});
  model.root().visit_parameters([dtype](const std::string&, Parameter& parameter) {
    if (parameter.dtype == DType::kF32) parameter.value = cast(parameter.value, dtype);
  });
}

double value_of(const Tensor& loss) { return cast(loss, DType::kF64).data<const double>()[0]; }

void check_losses(const TrainingLosses& losses, const double* expected, double tolerance) {
  for (size_t k = 0; k < losses.size(); ++k) {
    CAPTURE(kLossNames[k]);
    const double actual = value_of(losses[k]), wanted = expected[k];
    CAPTURE(actual);
    CAPTURE(wanted);
    CHECK(std::abs(actual - wanted) <= tolerance * wanted);
  }
}

struct Distances {
  double farthest = 0;  // relative, of all trained tensors
  double median = 0;
};

Distances gradient_distances(const std::vector<NamedParameter>& parameters,
                             const test::GoldenFile& file, const std::string& part) {
  std::vector<std::pair<double, std::string>> distances;
  for (const NamedParameter& trained : parameters) {
    CAPTURE(trained.name);
    Parameter gradient = *trained.parameter;
    gradient.value = trained.parameter->value.grad();
    REQUIRE(gradient.value.defined());
    distances.emplace_back(test::relative_distance(trained.name, to_file_order(gradient),
                                                   file.golden(part + "gradient/" + trained.name)),
                           trained.name);
  }
  std::sort(distances.begin(), distances.end());
  const Distances result{distances.back().first, distances[distances.size() / 2].first};
  MESSAGE(part << ": gradients differ by at most " << result.farthest << " ("
               << distances.back().second << "), median " << result.median);
  return result;
}

// Losses and gradients of one step, in the type of that part of the golden.
Distances check_step(const Case& one, const std::string& part, DType dtype, double loss_tolerance) {
  const test::GoldenFile file = golden_of(one);
  const MaskRcnnConfig config = config_of(one, file, part);
  TrainableMaskRcnn model(config);
  load(model, dtype);
  const std::vector<NamedParameter> parameters =
      select_trainable(model.root(), {.trainable_body_parts = 3});
  CHECK(parameters.size() == one.trained_tensors);
  TrainingBatch batch = make_training_batch(images_of(file, part, config), config, {});
  batch.images.pixels = cast(batch.images.pixels, dtype);
  const Proposals proposals = proposals_of(file, part, 0, batch.gt_boxes.size(0));
  const TrainingLosses losses = model.losses(batch, {.seed = kSamplerSeed}, {}, &proposals);
  check_losses(losses, file.golden(part + "losses").data<const double>(), loss_tolerance);
  backward(losses);
  return gradient_distances(parameters, file, part);
}

// The photos are windows that are not resized, so that the inputs are equal to the last bit, and no
// value's sign is left to rounding. What remains comes from the masks that the losses aim at, which
// are f32 in ours: up to 7e-7.
void check_float64(const Case& one) {
  if (kSanitized) {
    MESSAGE("left out under a sanitizer");
    return;
  }
  CHECK(check_step(one, "float64/", DType::kF64, 1e-6).farthest <= 1e-6);
}

// Our f32 against torch's f64. A value whose sign is only rounding lets its whole gradient through
// in one program and nothing in the other: a share e of such values turns a gradient by about
// sqrt(e). Norms with the statistics of a small batch put many values there, and torch's own f32
// gradients are then beyond 1e-3 too, however it computes them: ours must not be farther.
void check_float32(const Case& one) {
  const Distances ours = check_step(one, "float32/", DType::kF32, 1e-5);
  if (model_config(one.model, 91).backbone.norm == NormKind::kFrozen) {
    CHECK(ours.farthest <= 1e-3);
    return;
  }
  Distances torchs;
  const Tensor ways = golden_of(one).golden("float32/distances");
  for (int64_t way = 0; way < ways.size(0); ++way) {
    torchs.farthest = std::max(torchs.farthest, ways.data<const double>()[2 * way]);
    torchs.median = std::max(torchs.median, ways.data<const double>()[2 * way + 1]);
  }
  CHECK(ours.farthest <= torchs.farthest);
  CHECK(ours.median <= torchs.median);
}

void check_steps(const Case& one) {
  const test::GoldenFile file = golden_of(one);
  const Tensor optimizer = file.golden("steps/optimizer");
  const MaskRcnnConfig config = config_of(one, file, "steps/");
  TrainableMaskRcnn model(config);
  load(model, DType::kF32);
  Sgd sgd(select_trainable(model.root(), {.trainable_body_parts = 3}),
          {.momentum = optimizer.span<const double>()[1],
           .weight_decay = optimizer.span<const double>()[2]});
  const TrainingBatch batch = make_training_batch(images_of(file, "steps/", config), config, {});
  const int64_t num_images = batch.gt_boxes.size(0);
  if (config.backbone.norm == NormKind::kFrozen) {  // else the running statistics would move
    const NoGradGuard no_grad;
    Observer observer;
    observer.tensor = [&](std::string_view name, const Tensor& value) {
      if (name == "proposals") {
        CHECK(share_found(value, proposals_of(file, "steps/", 0, num_images)) >= 0.98);
      }
    };
    model.losses(batch, {.seed = kSamplerSeed}, observer);
  }
  const Tensor expected = file.golden("steps/losses");
  const int64_t steps = kSanitized ? 1 : expected.size(0);
  for (int64_t step = 0; step < steps; ++step) {
    CAPTURE(step);
    const Proposals proposals = proposals_of(file, "steps/", step, num_images);
    const TrainingLosses losses = model.losses(
        batch, {.seed = kSamplerSeed, .step = static_cast<uint32_t>(step)}, {}, &proposals);
    check_losses(losses, expected.data<const double>() + step * expected.size(1),
                 step == 0 ? 1e-5 : 1e-3);
    if (step + 1 == expected.size(0)) break;
    backward(losses);
    sgd.step(optimizer.span<const double>()[0]);
    sgd.clear_gradients();
  }
}

constexpr Case kOriginal{"maskrcnn_resnet50_c5", "c5", 72};
constexpr Case kFpn{"maskrcnn_resnet50_fpn", "v1", 84};
constexpr Case kFpnV2{"maskrcnn_resnet50_fpn_v2", "v2", 192};

TEST_CASE("Gradients of the original system's model equal torch's in f64") {
  check_float64(kOriginal);
}

TEST_CASE("Gradients of maskrcnn_resnet50_fpn equal torchvision's in f64") { check_float64(kFpn); }

TEST_CASE("Gradients of maskrcnn_resnet50_fpn_v2 equal torchvision's in f64") {
  check_float64(kFpnV2);
}

TEST_CASE("Gradients of the original system's model in f32 are near torch's in f64") {
  check_float32(kOriginal);
}

TEST_CASE("Gradients of maskrcnn_resnet50_fpn in f32 are near torchvision's in f64") {
  check_float32(kFpn);
}

TEST_CASE("Gradients of maskrcnn_resnet50_fpn_v2 in f32 are near torchvision's in f64") {
  check_float32(kFpnV2);
}

TEST_CASE("Ten steps of the original system's model equal torch's") { check_steps(kOriginal); }

TEST_CASE("Ten steps of maskrcnn_resnet50_fpn equal torchvision's") { check_steps(kFpn); }

TEST_CASE("Ten steps of maskrcnn_resnet50_fpn_v2 equal torchvision's") { check_steps(kFpnV2); }

}  // namespace
}  // namespace mrcnn
