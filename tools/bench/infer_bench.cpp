#include "tools/bench/infer_bench.h"

#include "core/allocator.h"
#include "core/device_memory.h"
#include "core/random.h"

namespace mrcnn {
InferBenchResult bench_infer(const MaskRcnn& model, const Tensor& image,
                             const InferBenchOptions& options) {
  const Device device = model.execution().device;
  const std::vector<Tensor> images(static_cast<size_t>(options.batch), image);
  InferBenchResult result;
  StageClock clock;
  const auto run = [&](StageClock* measured) {
    const auto observe = [measured, device, &options](std::string_view stage) {
      if (options.time_stages) synchronize(device);
      if (measured != nullptr) measured->stage_ended(stage);
    };
    std::vector<Instances> found =
        model.detect(images, {.stage_ended = observe, .tensor = nullptr});
    for (const Instances& instances : found) encode_masks(instances, model.config());
    observe("encode_masks");
    result.detections = std::move(found.front());
  };
  for (int i = 0; i < options.warmup; ++i) run(nullptr);
  reset_host_allocator_peak();
  reset_device_peak();
  const int64_t live_before = host_allocator_stats().live_bytes;
  for (int i = 0; i < options.repeat; ++i) {
    clock.begin_repetition();
    const DeviceCounters before = device_counters();
    run(&clock);
    result.per_repetition = difference(device_counters(), before);
    clock.end_repetition();
  }
  result.peak_tensor_bytes = device.is_cpu() ? host_allocator_stats().peak_bytes - live_before
                                             : device_memory_stats().peak_bytes;
  result.graph_nodes = model.graph_stats().nodes;
  result.stages = clock.rows();
  return result;
}

Tensor noise_image(int64_t height, int64_t width) {
  Tensor image = Tensor::empty({height, width, 3}, DType::kU8);
  const RandomStream random{.seed = 1, .purpose = RandomPurpose::kTest};
  uint8_t* pixels = image.data<uint8_t>();
  for (int64_t i = 0; i < image.numel(); ++i) {
    pixels[i] = static_cast<uint8_t>(random.word(static_cast<uint64_t>(i)) >> 24);
  }
  return image;
}

}  // namespace mrcnn
