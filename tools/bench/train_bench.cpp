#include "tools/bench/train_bench.h"

#include <algorithm>
#include <utility>

#include "core/allocator.h"
#include "core/autograd/engine.h"
#include "core/device_memory.h"
#include "core/primitives.h"
#include "core/random.h"
#include "data/masks/rle.h"
#include "kernels/optim/all_finite.h"
#include "layers/optim/sgd.h"
#include "models/mask_rcnn/trainable.h"
#include "models/seeded_model.h"
#include "models/seeded_weights.h"
#include "models/zoo.h"
#include "tools/bench/infer_bench.h"

namespace mrcnn {
namespace {

constexpr uint64_t kObjectSeed = 2;
constexpr uint64_t kWordsPerObject = 8;
constexpr uint64_t kSamplerSeed = 5;
constexpr int64_t kTrainedBodyParts = 3;  // layer2 to layer4, both references' default

Rle rectangle(const PixelBox& box, int64_t height, int64_t width) {
  std::vector<uint8_t> bitmap(static_cast<size_t>(height * width));
  for (int64_t row = box.y; row < box.y + box.height; ++row) {
    std::fill_n(bitmap.begin() + row * width + box.x, box.width, uint8_t{1});
  }
  return rle_from_bitmap(bitmap, height, width);
}

double number(const Tensor& tensor) { return static_cast<double>(tensor.data<const float>()[0]); }

}  // namespace

TrainingImage noise_training_image(const TrainBenchOptions& options, int64_t n,
                                   int64_t num_classes) {
  const int64_t height = options.height, width = options.width, objects = options.objects;
  const RandomStream random{.seed = kObjectSeed};
  TrainingImage image{.pixels = noise_image(height, width),
                      .placement = ImagePlacement::whole({height, width}),
                      .boxes = Tensor::empty({objects, 4}),
                      .labels = Tensor::empty({objects}, DType::kI32),
                      .masks = {}};
  for (int64_t g = 0; g < objects; ++g) {
    const auto w = [&](uint64_t k) {
      const auto object = static_cast<uint64_t>(objects * n + g);
      return static_cast<int64_t>(random.word(kWordsPerObject * object + k));
    };
    PixelBox box;
    box.height = std::max<int64_t>(height >> (1 + w(0) % 4), 1);
    box.width = std::max<int64_t>(width >> (1 + w(1) % 4), 1);
    box.y = w(2) % (height - box.height + 1);
    box.x = w(3) % (width - box.width + 1);
    float* corners = image.boxes.data<float>() + g * 4;
    corners[0] = static_cast<float>(box.x);
    corners[1] = static_cast<float>(box.y);
    corners[2] = static_cast<float>(box.x + box.width);
    corners[3] = static_cast<float>(box.y + box.height);
    image.labels.data<int32_t>()[g] = static_cast<int32_t>(1 + w(4) % (num_classes - 1));
    image.masks.push_back(rectangle(box, height, width));
  }
  return image;
}

TrainBenchResult bench_train(const TrainBenchOptions& options) {
  const Device device = options.execution.device;
  TrainableMaskRcnn model(model_config(options.model));
  load_seeded(model.root(), kGoldenSeed);
  model.place(options.execution);
  Sgd sgd(select_trainable(model.root(), {.trainable_body_parts = kTrainedBodyParts}), {});
  std::vector<TrainingImage> images;
  for (int64_t n = 0; n < options.batch; ++n) {
    images.push_back(noise_training_image(options, n, model.config().num_classes));
  }

  TrainBenchResult result;
  StageClock clock;
  const auto step = [&](StageClock* measured) {
    const auto ended = [&](std::string_view stage) {
      synchronize(device);
      if (measured != nullptr) measured->stage_ended(stage);
    };
    const TrainingBatch batch = make_training_batch(images, model.config(), options.execution);
    ended("batch");
    TrainingLosses losses = model.losses(batch, {.seed = kSamplerSeed});
    ended("forward");
    backward(losses);
    ended("backward");
    std::vector<Tensor> watched = sgd.gradients();
    watched.insert(watched.end(), losses.begin(), losses.end());
    sgd.step(0.0, {}, all_finite(watched));
    sgd.clear_gradients();
    ended("update");
    for (Tensor& loss : losses) loss = loss.detach();
    return losses;
  };
  const TrainingLosses first = step(nullptr);
  for (size_t k = 0; k < first.size(); ++k) {
    result.losses[k] = number(copy_to(first[k], Device{}));
  }
  for (int i = 1; i < options.warmup; ++i) step(nullptr);
  reset_host_allocator_peak();
  reset_device_peak();
  for (int i = 0; i < options.repeat; ++i) {
    const DeviceCounters before = device_counters();
    clock.begin_repetition();
    step(&clock);
    clock.end_repetition();
    result.per_repetition = difference(device_counters(), before);
  }
  result.peak_tensor_bytes =
      device.is_cpu() ? host_allocator_stats().peak_bytes : device_memory_stats().peak_bytes;
  result.stages = clock.rows();
  return result;
}

}  // namespace mrcnn
