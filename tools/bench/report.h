// Tables and JSON of the benchmarks.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/infer_bench.h"
#include "tools/bench/loader_bench.h"
#include "tools/bench/timing.h"
#include "tools/bench/train_bench.h"

namespace mrcnn {

struct BenchSettings {
  std::string model;
  std::string weights;
  std::string image;  // path, or "noise"
  int64_t height = 0;
  int64_t width = 0;
  std::string device;     // "cpu", "cuda:0 (NVIDIA H100 80GB HBM3, 79.1 GiB)"
  std::string precision;  // what the convolutions compute in: "fp32", "fp32 strict", "tf32", "bf16"
  int64_t batch = 1;
  int repeat = 0;
};

void print_infer_bench(const BenchSettings& settings, const InferBenchResult& result);
// {"settings": {...}, "stages": [{"stage", "median_ms", "p90_ms", "min_ms", "samples_ms"}],
//  "peak_tensor_bytes", "launches", "graph_launches", "graph_nodes", "syncs", "uploads",
//  "downloads", "detections": [{"box", "label", "score"}]}
void write_infer_bench(const std::string& path, const BenchSettings& settings,
                       const InferBenchResult& result);

void print_train_bench(const BenchSettings& settings, const TrainBenchResult& result);
// {"settings": {...}, "stages": as above, "images_per_second", "peak_tensor_bytes", "launches",
//  "syncs", "uploads", "downloads", "losses": {"rpn_objectness", ...}}
void write_train_bench(const std::string& path, const BenchSettings& settings,
                       const TrainBenchResult& result);

struct OpSample {
  std::string op;
  std::vector<double> samples_ms;
};

void print_op_bench(const std::vector<OpSample>& samples);
// {"ops": [{"op", "median_ms", "p90_ms", "min_ms"}]}
void write_op_bench(const std::string& path, const std::vector<OpSample>& samples);

struct LoaderBenchSettings {
  std::string photos;  // the data set, or "generated photos"
  std::string device;  // of the op
  LoaderBenchOptions options;
};

void print_loader_bench(const LoaderBenchSettings& settings, const LoaderBenchResult& result);
// {"settings": {...}, "file_bytes", "pixels", "objects", "stages": [{"stage", "median_ms",
//  "median_cpu_ms", "images_per_second", "images_per_second_per_core", "samples_ms",
//  "samples_cpu_ms"}]}
void write_loader_bench(const std::string& path, const LoaderBenchSettings& settings,
                        const LoaderBenchResult& result);

}  // namespace mrcnn
