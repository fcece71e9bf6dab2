#include "tools/trainer/original_console.h"

#include <fmt/format.h>

#include "core/cuda/probe.h"

namespace mrcnn {

void OriginalConsole::device(const Device& device) const {
  if (device.is_cuda()) {
    const std::vector<CudaProperties>& properties = cuda_devices().properties;
    write_(fmt::format("cuda: True\navailable GPU(s): {}\n", properties.size()));
    for (size_t i = 0; i < properties.size(); ++i) {
      const CudaProperties& gpu = properties[i];
      // "momory" is the original's spelling.
      write_(fmt::format(
          "{}: {{'name': '{}', 'capability': [{}, {}], 'total_momory': {:.2f}, 'sm_count': {}}}\n",
          i, gpu.name, gpu.major, gpu.minor,
          static_cast<double>(gpu.memory_bytes) / static_cast<double>(int64_t{1} << 30),
          gpu.sm_count));
    }
  }
  write_(fmt::format("\ndevice: {}\n", device.is_cuda() ? "cuda" : "cpu"));
}

void OriginalConsole::begin(int64_t trained_epochs, int64_t num_epochs) const {
  write_(fmt::format("\nalready trained: {} epochs; to {} epochs\n", trained_epochs, num_epochs));
}

void OriginalConsole::begin_epoch(int64_t epoch, double lr, double factor) const {
  write_(fmt::format("\nepoch: {}\nlr_epoch: {:.5f}, factor: {:.5f}\n", epoch, lr, factor));
}

void OriginalConsole::losses(const StepLosses& losses) const {
  if (!is_due(losses.step)) return;
  std::string line = fmt::format("{}\t ", losses.step);
  for (size_t k = 0; k < losses.parts.size(); ++k) {
    line += fmt::format("{}{:.3f}", k == 0 ? "" : "\t", losses.parts[k]);
  }
  write_(line + "\n");
}

void OriginalConsole::times(const OriginalTimes& times) const {
  write_(fmt::format("iter: {:.1f}, total: {:.1f}, model: {:.1f}, backward: {:.1f}\n",
                     times.iter_ms, times.total_ms, times.model_ms, times.backward_ms));
}

void OriginalConsole::end_epoch(double training_s, double evaluation_s,
                                const std::map<std::string, double>& metrics) const {
  write_(fmt::format("training: {:.1f} s, evaluation: {:.1f} s\n", training_s, evaluation_s));
  if (metrics.empty()) return;
  write_(fmt::format("{{'bbox AP': {:.1f}, 'mask AP': {:.1f}}}\n", 100 * metrics.at("box_ap"),
                     100 * metrics.at("mask_ap")));
}

void OriginalConsole::end(double total_s, int64_t trained_epochs) const {
  write_(fmt::format("\ntotal time of this training: {:.1f} s\nalready trained: {} epochs\n\n",
                     total_s, trained_epochs));
}

}  // namespace mrcnn
