#include "tools/trainer/step.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/primitives.h"
#include "models/seeded_model.h"
#include "tests/support/faults.h"
#include "tests/tools/trainer/small_model.h"
#include "tools/trainer/nonfinite.h"

namespace mrcnn {
namespace {

constexpr const char* kPoisoned = "roi_heads.mask_predictor.mask_fcn_logits.bias";

class Trained {
 public:
  explicit Trained(const TrainConfig& config, NormKind norm = NormKind::kFrozen)
      : config_(config), model_(loaded(config, norm)), state_(*model_, config_, {}) {
    runner_ = std::make_unique<StepRunner>(*model_, state_, config_);
  }

  StepRunner& runner() { return *runner_; }

  Tensor& value(const std::string& wanted) {
    Tensor* found = nullptr;
    model_->root().visit_parameters([&](const std::string& name, Parameter& parameter) {
      if (name == wanted) found = &parameter.value;
    });
    REQUIRE(found != nullptr);
    return *found;
  }

  // Whatever a checkpoint would hold.
  std::map<std::string, std::vector<std::byte>> everything() const {
    std::map<std::string, std::vector<std::byte>> values;
    for (const StateTensor& tensor : state().tensors()) {
      const FileBytes bytes = tensor.bytes();
      values[tensor.name].assign(bytes.bytes.begin(), bytes.bytes.end());
    }
    return values;
  }

  std::map<std::string, std::vector<float>> values() const {
    std::map<std::string, std::vector<float>> values;
    for (const NamedParameter& one : state().sgd().parameters()) {
      const float* data = one.parameter->value.data<const float>();
      values[one.name].assign(data, data + one.parameter->value.numel());
    }
    return values;
  }

 private:
  static std::unique_ptr<TrainableMaskRcnn> loaded(const TrainConfig& config, NormKind norm) {
    MaskRcnnConfig model_config = test::small_model_config(config);
    model_config.backbone.norm = norm;
    auto model = std::make_unique<TrainableMaskRcnn>(model_config);
    load_seeded(model->root(), 6);
    return model;
  }
  TrainingState& state() const { return state_; }

  const TrainConfig config_;
  std::unique_ptr<TrainableMaskRcnn> model_;
  mutable TrainingState state_;
  std::unique_ptr<StepRunner> runner_;
};

double largest_difference(const std::map<std::string, std::vector<float>>& a,
                          const std::map<std::string, std::vector<float>>& b) {
  double largest = 0;
  for (const auto& [name, values] : a) {
    for (size_t i = 0; i < values.size(); ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(values[i]) - b.at(name)[i]));
    }
  }
  return largest;
}

double distance(const std::map<std::string, std::vector<float>>& a,
                const std::map<std::string, std::vector<float>>& b) {
  double sum = 0;
  for (const auto& [name, values] : a) {
    for (size_t i = 0; i < values.size(); ++i) {
      const double difference = static_cast<double>(values[i]) - b.at(name)[i];
      sum += difference * difference;
    }
  }
  return std::sqrt(sum);
}

TEST_CASE("A batch of eight is two accumulated batches of four") {
  const double lr = 0.01;
  const TrainConfig config = test::small_train_config();
  Trained whole(config);
  const auto before = whole.values();
  whole.runner().add_batch(test::small_batch(0, 8), 0);
  CHECK(whole.runner().images() == 8);
  whole.runner().update(0, lr);

  TrainConfig halves_config = config;
  halves_config.accumulate = 2;
  Trained halves(halves_config);
  halves.runner().add_batch(test::small_batch(0, 4), 0);
  halves.runner().add_batch(test::small_batch(4, 4), 0);
  halves.runner().update(0, lr);
  CHECK(halves.runner().images() == 0);

  const std::vector<StepLosses> one = whole.runner().read();
  const std::vector<StepLosses> two = halves.runner().read();
  REQUIRE(one.size() == 1);
  REQUIRE(two.size() == 1);
  for (size_t k = 0; k < kLossNames.size(); ++k) {
    CAPTURE(kLossNames[k]);
    CHECK(one[0].parts[k] > 0);
    CHECK(two[0].parts[k] == doctest::Approx(one[0].parts[k]).epsilon(1e-6));
  }
  CHECK(distance(whole.values(), before) > 1e-3);
  CHECK(largest_difference(whole.values(), halves.values()) < 1e-6);
}

TEST_CASE("Gradients are clipped to the norm") {
  TrainConfig config = test::small_train_config();
  config.weight_decay = 0;
  config.clip_norm = 0.25;
  Trained trained(config);
  const auto before = trained.values();
  trained.runner().add_batch(test::small_batch(0, 1), 0);
  trained.runner().update(0, 1);
  trained.runner().read();
  CHECK(distance(trained.values(), before) == doctest::Approx(0.25).epsilon(1e-4));
}

TEST_CASE("A step with numbers that are not finite is not taken, and is named") {
  Trained trained(test::small_train_config());
  trained.runner().add_batch(test::small_batch(0, 1), 0);
  trained.runner().update(0, 1e-4);
  fill_(trained.value(kPoisoned).detach(), std::numeric_limits<double>::quiet_NaN());
  auto before = trained.values();
  trained.runner().add_batch(test::small_batch(3, 2), 1);
  trained.runner().update(1, 0.01);
  auto after = trained.values();
  for (auto* values : {&before, &after}) {
    values->erase(kPoisoned);  // NaN differs from itself
  }
  CHECK(before == after);
  const std::vector<StepLosses> steps = trained.runner().read();
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].finite);
  CHECK_FALSE(steps[1].finite);
  CHECK(steps[1].image_ids == std::vector<int64_t>{103, 104});
  const std::string text = nonfinite_text(steps[1]);
  CAPTURE(text);
  CHECK(text.starts_with("step 2: "));
  CHECK(text.find("images 103, 104;") != text.npos);
  CHECK(text.find("roi_mask nan") != text.npos);
}

// One number that is none, in each of the places it may come from.
TEST_CASE("A NaN in an image, a loss or a gradient changes nothing at all") {
  TrainConfig config = test::small_train_config();
  config.ema_decay = 0.5;
  for (const char* place : {"image", "loss", "gradient"}) {
    CAPTURE(place);
    Trained trained(config, NormKind::kBatch);
    trained.runner().add_batch(test::small_batch(0, 1), 0);
    trained.runner().update(0, 1e-3);
    const auto before = trained.everything();
    const test::Faults faults(std::string("nan@") + place + ":2");
    trained.runner().add_batch(test::small_batch(3, 2), 1);
    CHECK(trained.everything() != before);  // the statistics of the batch norms
    trained.runner().update(1, 0.01);
    CHECK(faults.fired() == 1);
    CHECK(trained.everything() == before);
    const std::vector<StepLosses> steps = trained.runner().read();
    REQUIRE(steps.size() == 2);
    CHECK(steps[0].finite);
    CHECK_FALSE(steps[1].finite);
    trained.runner().add_batch(test::small_batch(3, 2), 2);
    trained.runner().update(2, 0.01);
    CHECK(trained.runner().read().at(0).finite);
    CHECK(trained.everything() != before);
  }
}

TEST_CASE("A step whose images were all skipped changes nothing") {
  Trained trained(test::small_train_config());
  const auto before = trained.values();
  trained.runner().add_batch({}, 0);
  trained.runner().update(0, 1);
  const std::vector<StepLosses> losses = trained.runner().read();
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].total() == 0);
  CHECK(trained.values() == before);
}

}  // namespace
}  // namespace mrcnn
