// How fast the data of a training comes: decoding by the loader's threads, then the op that mirrors
// and resizes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "layers/execution.h"

namespace mrcnn {

struct LoaderBenchOptions {
  int64_t images = 200;  // at least so many in a repetition
  int64_t batch = 2;
  int threads = 1;         // of the loader; the op uses those of core/parallel.h
  int64_t min_size = 800;  // the short side that the network sees
  int warmup = 1;
  int repeat = 7;
  Execution execution = {};                   // of the op
  std::function<bool()> stop_requested = {};  // looked at between repetitions; empty: never
};

// A sample per repetition: milliseconds for one image. The processor's time is that of all threads
// together; it changes little when others use the machine, and 1000 divided by it is images per
// second and core.
struct LoaderStage {
  std::string name;
  std::vector<double> wall_ms;
  std::vector<double> cpu_ms;
};

struct LoaderBenchResult {
  // Means of the photos used.
  double file_bytes = 0;
  double pixels = 0;
  double objects = 0;
  // "decode": Loader::next(), which reads, decodes and makes boxes and run lengths.
  // "flip": the trainer's make_training_batch() with every photo mirrored, at its own size.
  // "flip, resize": the same at the network's size.
  // "decode + flip", "decode + flip, resize": sums.
  std::vector<LoaderStage> stages;
};

// Nothing if a stop was requested.
std::optional<LoaderBenchResult> bench_loader(const Dataset& dataset,
                                              const LoaderBenchOptions& options);

}  // namespace mrcnn
