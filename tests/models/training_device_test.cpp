// Mask R-CNN in training on a GPU, against the CPU and against itself.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/autograd/engine.h"
#include "core/primitives.h"
#include "core/stream.h"
#include "kernels/conv/conv2d.h"
#include "layers/optim/sgd.h"
#include "models/mask_rcnn/trainable.h"
#include "models/mask_rcnn/training.h"
#include "models/seeded_model.h"
#include "tests/models/small_training.h"
#include "tests/support/device.h"

namespace mrcnn {
namespace {

// Orders of threads on the emulated device: the kernels have their own tests with more.
constexpr int kSchedules = 1;
constexpr double kRate = 0.01;

struct Named {
  std::string name;
  Tensor value;  // on the CPU
};

// A model under training, with everything that a step needs.
class Training {
 public:
  Training(const MaskRcnnConfig& config, const Execution& execution,
           const std::vector<TrainingImage>& images)
      : model_(config),
        trained_(place(execution)),
        sgd_(trained_, {}),
        batch_(make_training_batch(images, config, execution)),
        proposals_(test::fixed_proposals(static_cast<int64_t>(images.size()),
                                         images.front().pixels.size(0))) {
    proposals_.boxes = copy_to(proposals_.boxes, execution.device);
    proposals_.scores = copy_to(proposals_.scores, execution.device);
    proposals_.count = copy_to(proposals_.count, execution.device);
  }

  // With the proposals that are given, or its own.
  TrainingLosses losses(bool given, uint32_t step = 0) const {
    return model_.losses(batch_, {.seed = 3, .step = step}, {}, given ? &proposals_ : nullptr);
  }

  // Waits for nothing.
  TrainingLosses step(bool given, uint32_t number = 0) {
    sgd_.clear_gradients();
    TrainingLosses found = losses(given, number);
    backward(found);
    sgd_.step(kRate);
    return found;
  }

  std::vector<Named> gradients() const {
    std::vector<Named> found;
    for (const NamedParameter& one : trained_) {
      const Tensor gradient = one.parameter->value.grad();
      CAPTURE(one.name);
      REQUIRE(gradient.defined());
      found.push_back({.name = one.name, .value = copy_to(gradient, Device{})});
    }
    return found;
  }

  // Every parameter and buffer of floats.
  std::vector<Named> parameters() {
    std::vector<Named> found;
    model_.root().visit_parameters([&](const std::string& name, const Parameter& parameter) {
      if (parameter.dtype != DType::kF32) return;
      found.push_back({.name = name, .value = copy_to(parameter.value.detach(), Device{})});
    });
    return found;
  }

 private:
  std::vector<NamedParameter> place(const Execution& execution) {
    load_seeded(model_.root(), 6);
    model_.place(execution);
    return select_trainable(model_.root(), {});
  }

  TrainableMaskRcnn model_;
  std::vector<NamedParameter> trained_;
  Sgd sgd_;
  TrainingBatch batch_;
  Proposals proposals_;
};

// Of different sizes.
std::vector<TrainingImage> two_images() {
  return {test::noise_with_objects(1, {32, 32}, 2), test::noise_with_objects(2, {24, 30}, 1)};
}

std::vector<float> values(const TrainingLosses& losses) {
  std::vector<float> found;
  for (const Tensor& loss : download(losses)) found.push_back(loss.data<const float>()[0]);
  return found;
}

double length(const Tensor& tensor) {
  double sum = 0;
  for (const float value : tensor.span<const float>()) sum += double{value} * double{value};
  return std::sqrt(sum);
}

double distance(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double sum = 0;
  for (int64_t i = 0; i < a.numel(); ++i) {
    const double difference = double{a.data<const float>()[i]} - double{b.data<const float>()[i]};
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

void check_near(const std::vector<Named>& found, const std::vector<Named>& expected,
                double relative) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CAPTURE(found[i].name);
    CHECK(distance(found[i].value, expected[i].value) <= relative * length(expected[i].value));
  }
}

// The CPU's Winograd convolutions round otherwise, so they stand aside where devices are compared.
class DirectConvolutions {
 public:
  DirectConvolutions() { set_strict_convolution(true); }
  ~DirectConvolutions() { set_strict_convolution(false); }
};

void check_against_cpu(const MaskRcnnConfig& config) {
  const DirectConvolutions direct;
  test::on_cuda(
      [&](Device device) {
        Training on_cpu(config, {}, two_images());
        Training on_gpu(config, {.device = device}, two_images());
        const std::vector<float> expected = values(on_cpu.step(true));
        const std::vector<float> found = values(on_gpu.step(true));
        for (size_t i = 0; i < expected.size(); ++i) {
          CAPTURE(std::string(kLossNames[i]));
          CHECK(expected[i] > 0);
          CHECK(std::abs(found[i] - expected[i]) <= 1e-5F * expected[i]);
        }
        check_near(on_gpu.gradients(), on_cpu.gradients(), 1e-4);
        // Running means of numbers of both signs are small beside their rounding errors.
        check_near(on_gpu.parameters(), on_cpu.parameters(), 3e-6);
      },
      kSchedules);
}

TEST_CASE("CUDA: a step of a small pyramid with batch norms is the CPU's") {
  check_against_cpu(test::small_pyramid());
}

TEST_CASE("CUDA: a step of a small one-map model with frozen norms is the CPU's") {
  check_against_cpu(test::small_one_map());
}

TEST_CASE("CUDA: training in bf16 stays near fp32") {
  test::on_cuda(
      [](Device device) {
        const MaskRcnnConfig config = test::small_pyramid();
        Training fp32(config, {.device = device}, two_images());
        Training bf16(config, {.device = device, .precision = Precision::kBf16}, two_images());
        const std::vector<float> expected = values(fp32.losses(true));
        const std::vector<float> found = values(bf16.step(true));
        for (size_t i = 0; i < expected.size(); ++i) {
          CAPTURE(std::string(kLossNames[i]));
          CHECK(std::abs(found[i] - expected[i]) <= 0.05F * expected[i]);
        }
        for (const Named& gradient : bf16.gradients()) {
          CAPTURE(gradient.name);
          CHECK(std::isfinite(length(gradient.value)));
          CHECK(length(gradient.value) > 0);
        }
      },
      kSchedules);
}

TEST_CASE("CUDA: two steps never wait for the GPU and give the same bits again") {
  test::on_cuda(
      [](Device device) {
        const auto run = [device] {
          Training training(test::small_pyramid(), {.device = device}, two_images());
          training.step(false, 0);
          const DeviceCounters before = device_counters();
          training.step(false, 1);
          const DeviceCounters after = device_counters();
          CHECK(after.syncs == before.syncs);
          CHECK(after.downloads == before.downloads);
          return training.parameters();
        };
        const std::vector<Named> first = run(), second = run();
        for (size_t i = 0; i < first.size(); ++i) {
          const Tensor &a = first[i].value, &b = second[i].value;
          CAPTURE(first[i].name);
          CHECK(std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0);
          CHECK(std::isfinite(length(a)));
        }
      },
      kSchedules);
}

TEST_CASE("CUDA: images without objects teach what is background") {
  test::on_cuda(
      [](Device device) {
        const std::vector<TrainingImage> images{test::noise_with_objects(1, {32, 32}, 0),
                                                test::noise_with_objects(2, {24, 30}, 0)};
        Training training(test::small_pyramid(), {.device = device}, images);
        const std::vector<float> found = values(training.step(false));
        CHECK(found[0] > 0);
        CHECK(found[1] == 0);
        CHECK(found[2] > 0);
        CHECK(found[3] == 0);
        CHECK(found[4] == 0);
        for (const Named& parameter : training.parameters()) {
          CAPTURE(parameter.name);
          CHECK(std::isfinite(length(parameter.value)));
        }
      },
      kSchedules);
}

}  // namespace
}  // namespace mrcnn
