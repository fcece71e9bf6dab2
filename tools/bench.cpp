// bench: times whole models, single ops and the loader.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/parallel.h"
#include "data/image/image.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/convolution_plan.h"
#include "models/zoo.h"
#include "tools/bench/bench_photos.h"
#include "tools/bench/op_bench.h"
#include "tools/bench/plans.h"
#include "tools/bench/report.h"
#include "tools/bench/train_bench.h"
#include "tools/cli_main.h"
#include "tools/command_line.h"
#include "tools/dataset/open_dataset.h"
#include "tools/interrupt.h"
#include "tools/load_model.h"

namespace {

using namespace mrcnn;

struct PlanOptions {
  PlanRequest request;
  std::vector<std::string> precisions{"fp32", "tf32", "bf16"};
  int64_t height = 800;
  int64_t width = 1344;
};

struct LoaderCommand {
  LoaderBenchOptions bench;
  std::string data;
  std::string split = "train2017";
  int64_t photos = 64;
  int64_t height = 480;
  int64_t width = 640;
};

struct Options {
  LoadOptions load{.weights = "seeded"};
  std::string image;
  int64_t height = 800;
  int64_t width = 1333;
  InferBenchOptions infer;
  TrainBenchOptions train;
  std::string device = "cpu";
  std::string precision = "fp32";
  bool no_stages = false;
  bool no_graphs = false;
  bool autotune = false;
  int threads = 0;
  bool strict = false;
  std::string json;
  PlanOptions plans;
  LoaderCommand loader;
};

void add_repetitions(CLI::App& app, Options& options, int& warmup, int& repeat) {
  app.add_option("--repeat", repeat, "Measured repetitions")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("--warmup", warmup, "Repetitions before measuring")
      ->capture_default_str()
      ->check(CLI::Range(0, 100000));
  app.add_option("--json", options.json, "Write the numbers to this file too");
}

void add_common_options(CLI::App& app, Options& options, int& warmup, int& repeat) {
  add_repetitions(app, options, warmup, repeat);
  app.add_option("--threads", options.threads, "Threads; 0 = all cores or OMP_NUM_THREADS")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
}

CLI::App* add_infer(CLI::App& app, Options& options) {
  CLI::App* infer = app.add_subcommand("infer", "Latency of a model on one image, by stage");
  infer->add_option("--model", options.load.model, "Model, if the weights do not tell");
  infer->add_option("--weights", options.load.weights, "Weight file, or seeded[:n]")
      ->capture_default_str();
  infer->add_option("--image", options.image, "Photo; without one, noise of --height x --width");
  infer->add_option("--height", options.height, "Height of the noise image")
      ->capture_default_str()
      ->check(CLI::Range(1, 32768));
  infer->add_option("--width", options.width, "Width of the noise image")
      ->capture_default_str()
      ->check(CLI::Range(1, 32768));
  infer->add_option("--batch", options.infer.batch, "The image this many times in one call")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  infer->add_flag("--strict", options.strict,
                  "Only direct convolutions, no Winograd: for comparing numbers");
  infer->add_option("--device", options.device, "auto, cpu, cuda or cuda:1")->capture_default_str();
  infer->add_option("--precision", options.precision, "fp32, or on a GPU tf32 or bf16")
      ->capture_default_str();
  infer->add_flag("--no-stages", options.no_stages,
                  "On a GPU: time the whole only, without a wait after every stage");
  infer->add_flag("--no-graphs", options.no_graphs,
                  "On a GPU: start kernel by kernel instead of replaying graphs");
  infer->add_flag("--autotune", options.autotune,
                  "On a GPU: choose new convolution plans by timing a few, not by advice");
  add_common_options(*infer, options, options.infer.warmup, options.infer.repeat);
  return infer;
}

CLI::App* add_train(CLI::App& app, Options& options) {
  CLI::App* train = app.add_subcommand(
      "train", "Training steps of a model with seeded weights on noise with rectangles, by stage");
  TrainBenchOptions& own = options.train;
  train->add_option("--model", own.model, "Model")->capture_default_str();
  train->add_option("--height", own.height, "Height of the noise image")
      ->capture_default_str()
      ->check(CLI::Range(32, 32768));
  train->add_option("--width", own.width, "Width of the noise image")
      ->capture_default_str()
      ->check(CLI::Range(32, 32768));
  train->add_option("--batch", own.batch, "Images per step")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  train->add_option("--objects", own.objects, "Objects per image")
      ->capture_default_str()
      ->check(CLI::Range(0, 10000));
  train->add_option("--device", options.device, "auto, cpu, cuda or cuda:1")->capture_default_str();
  train->add_option("--precision", options.precision, "fp32, or on a GPU tf32 or bf16")
      ->capture_default_str();
  add_common_options(*train, options, own.warmup, own.repeat);
  return train;
}

CLI::App* add_loader(CLI::App& app, Options& options) {
  CLI::App* loader = app.add_subcommand(
      "loader",
      "The data of a training: decoding by the loader's threads, then the op that mirrors and\n"
      "resizes. Without --data on pictures that it makes in a temporary folder.");
  LoaderCommand& own = options.loader;
  loader->add_option("--data", own.data, "Data set, as for train");
  loader->add_option("--split", own.split, "Its split")->capture_default_str();
  loader->add_option("--height", own.height, "Only photos of this size, upright or turned")
      ->capture_default_str()
      ->check(CLI::Range(32, 4096));
  loader->add_option("--width", own.width)->capture_default_str()->check(CLI::Range(32, 4096));
  loader->add_option("--photos", own.photos, "Photos to make without --data")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  loader->add_option("--images", own.bench.images, "Images per repetition")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  loader->add_option("--batch", own.bench.batch, "Images per batch")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  loader->add_option("--min-size", own.bench.min_size, "Short side that the network sees")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  loader->add_option("--threads", own.bench.threads, "Threads of the loader, and of the op")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  loader->add_option("--device", options.device, "Of the op: auto, cpu, cuda or cuda:1")
      ->capture_default_str();
  add_repetitions(*loader, options, own.bench.warmup, own.bench.repeat);
  return loader;
}

CLI::App* add_plans(CLI::App& app, PlanOptions& options) {
  CLI::App* plans = app.add_subcommand(
      "plans", "Makes the plans of a GPU's convolutions ahead of time; needs cuDNN, no GPU");
  options.request.models = model_names();
  plans->add_option("device", options.request.device_file, "JSON description of the GPU")
      ->required();
  plans->add_option("--models", options.request.models, "Models")->capture_default_str();
  plans->add_option("--precision", options.precisions, "fp32, tf32, bf16")->capture_default_str();
  plans->add_option("--height", options.height, "Padded input height; its transpose is done too")
      ->capture_default_str()
      ->check(CLI::Range(32, 32768));
  plans->add_option("--width", options.width, "Padded input width")
      ->capture_default_str()
      ->check(CLI::Range(32, 32768));
  plans->add_option("--cache", options.request.directory,
                    "Directory to write to; without it where the programs look");
  plans->add_flag("--gradients", options.request.gradients, "For training, too");
  return plans;
}

void run_plans(PlanOptions& options) {
  for (const std::string& name : options.precisions) {
    options.request.precisions.push_back(parse_precision(name));
  }
  options.request.inputs = {{.height = options.height, .width = options.width},
                            {.height = options.width, .width = options.height}};
  write_plans(options.request, std::cout);
}

std::string device_text(const DeviceChoice& device) {
  if (device.device.is_cpu()) return "cpu";
  return fmt::format("{} ({})", device.device.to_string(), device.reason);
}

void run_infer(Options& options) {
  set_strict_convolution(options.strict);
  const DeviceChoice device = choose_device(options.device);
  options.load.execution = {.device = device.device,
                            .precision = parse_precision(options.precision)};
  options.infer.time_stages = !options.no_stages;
  if (options.autotune) cuda::set_convolution_autotune(true);
  const LoadedModel loaded = load_model(options.load);
  loaded.model->set_graphs(!options.no_graphs);
  const Tensor image = options.image.empty() ? noise_image(options.height, options.width)
                                             : load_image(options.image).pixels;
  const BenchSettings settings{.model = loaded.model->config().name,
                               .weights = options.load.weights,
                               .image = options.image.empty() ? "noise" : options.image,
                               .height = image.size(0),
                               .width = image.size(1),
                               .device = device_text(device),
                               .precision = options.strict ? "fp32 strict" : options.precision,
                               .batch = options.infer.batch,
                               .repeat = options.infer.repeat};
  const InferBenchResult result = bench_infer(*loaded.model, image, options.infer);
  print_infer_bench(settings, result);
  for (const std::string& line : cuda::convolution_fallbacks()) fmt::print("{}\n", line);
  if (!options.json.empty()) write_infer_bench(options.json, settings, result);
}

void run_train(Options& options) {
  const DeviceChoice device = choose_device(options.device);
  options.train.execution = {.device = device.device,
                             .precision = parse_precision(options.precision)};
  const BenchSettings settings{.model = options.train.model,
                               .weights = "seeded",
                               .image = "noise",
                               .height = options.train.height,
                               .width = options.train.width,
                               .device = device_text(device),
                               .precision = options.precision,
                               .batch = options.train.batch,
                               .repeat = options.train.repeat};
  const TrainBenchResult result = bench_train(options.train);
  print_train_bench(settings, result);
  for (const std::string& line : cuda::convolution_fallbacks()) fmt::print("{}\n", line);
  if (!options.json.empty()) write_train_bench(options.json, settings, result);
}

int run_loader(Options& options) {
  LoaderCommand& own = options.loader;
  const InterruptGuard interrupt;
  own.bench.stop_requested = [&interrupt] { return interrupt.requested().has_value(); };
  const DeviceChoice device = choose_device(options.device);
  own.bench.execution.device = device.device;
  const auto warn = [](const std::string& line) { fmt::print(stderr, "bench: {}\n", line); };
  const std::unique_ptr<Dataset> photos =
      own.data.empty()
          ? generated_photos(own.photos, own.height, own.width)
          : photos_of_size(open_dataset(own.data, own.split, {}, warn), own.height, own.width);
  set_num_threads(own.bench.threads);
  const std::optional<LoaderBenchResult> result = bench_loader(*photos, own.bench);
  if (!result) return static_cast<int>(*interrupt.requested());
  const LoaderBenchSettings settings{
      .photos = photos->name(), .device = device_text(device), .options = own.bench};
  print_loader_bench(settings, *result);
  if (!options.json.empty()) write_loader_bench(options.json, settings, *result);
  return 0;
}

void run_ops(const Options& options) {
  const std::vector<OpSample> samples =
      bench_ops(options.infer.warmup, options.infer.repeat, choose_device(options.device).device);
  print_op_bench(samples);
  if (!options.json.empty()) write_op_bench(options.json, samples);
}

int bench(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Times whole models, single ops and the loader on this machine.\n\n"
      "  bench infer --model maskrcnn_resnet50_fpn --image photo.jpg\n"
      "  bench infer --model maskrcnn_resnet50_fpn --device cuda --precision bf16\n"
      "  bench train --model maskrcnn_resnet50_fpn --batch 2\n"
      "  bench ops --repeat 20 --json ops.json\n"
      "  bench loader --data coco2017 --threads 4\n"
      "  bench plans h100.json --models maskrcnn_resnet50_fpn --precision bf16"};
  app.name("bench");
  app.require_subcommand(1);
  CLI::App* infer = add_infer(app, options);
  CLI::App* train = add_train(app, options);
  CLI::App* ops = app.add_subcommand("ops", "RoIAlign, NMS and mask encoding");
  ops->add_option("--device", options.device, "auto, cpu, cuda or cuda:1")->capture_default_str();
  add_common_options(*ops, options, options.infer.warmup, options.infer.repeat);
  CLI::App* plans = add_plans(app, options.plans);
  CLI::App* loader = add_loader(app, options);
  if (const std::optional<int> code = parse_command_line(app, argc, argv)) return *code;
  if (options.threads > 0) set_num_threads(options.threads);
  if (infer->parsed()) run_infer(options);
  if (train->parsed()) run_train(options);
  if (ops->parsed()) run_ops(options);
  if (plans->parsed()) run_plans(options.plans);
  return loader->parsed() ? run_loader(options) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  return mrcnn::run_program("bench", [=] { return bench(argc, argv); });
}
