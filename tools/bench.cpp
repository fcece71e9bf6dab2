// bench: times whole models and single ops.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <optional>

#include "core/device.h"
#include "core/parallel.h"
#include "data/image/image.h"
#include "kernels/conv/conv2d.h"
#include "models/zoo.h"
#include "tools/bench/op_bench.h"
#include "tools/bench/report.h"
#include "tools/cli_main.h"
#include "tools/command_line.h"
#include "tools/load_model.h"

namespace {

using namespace mrcnn;

struct Options {
  LoadOptions load{.weights = "seeded"};
  std::string image;
  int64_t height = 800;
  int64_t width = 1333;
  InferBenchOptions infer;
  int threads = 0;
  bool strict = false;
  std::string json;
};

void add_common_options(CLI::App& app, Options& options) {
  app.add_option("--repeat", options.infer.repeat, "Measured repetitions")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("--warmup", options.infer.warmup, "Repetitions before measuring")
      ->capture_default_str()
      ->check(CLI::Range(0, 100000));
  app.add_option("--threads", options.threads, "Threads; 0 = all cores or OMP_NUM_THREADS")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  app.add_option("--json", options.json, "Write the numbers to this file too");
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
  add_common_options(*infer, options);
  return infer;
}

void run_infer(Options& options) {
  set_strict_convolution(options.strict);
  const LoadedModel loaded = load_model(options.load);
  const Tensor image = options.image.empty() ? noise_image(options.height, options.width)
                                             : load_image(options.image).pixels;
  const BenchSettings settings{.model = loaded.model->config().name,
                               .weights = options.load.weights,
                               .image = options.image.empty() ? "noise" : options.image,
                               .height = image.size(0),
                               .width = image.size(1),
                               .precision = options.strict ? "fp32 strict" : "fp32",
                               .options = options.infer};
  const InferBenchResult result = bench_infer(*loaded.model, image, options.infer);
  print_infer_bench(settings, result);
  if (!options.json.empty()) write_infer_bench(options.json, settings, result);
}

void run_ops(const Options& options) {
  const std::vector<OpSample> samples = bench_ops(options.infer.warmup, options.infer.repeat);
  print_op_bench(samples);
  if (!options.json.empty()) write_op_bench(options.json, samples);
}

int bench(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Times whole models and single ops on this machine.\n\n"
      "  bench infer --model maskrcnn_resnet50_fpn --image photo.jpg\n"
      "  bench ops --repeat 20 --json ops.json"};
  app.name("bench");
  app.require_subcommand(1);
  CLI::App* infer = add_infer(app, options);
  CLI::App* ops = app.add_subcommand("ops", "RoIAlign, NMS and mask encoding");
  add_common_options(*ops, options);
  if (const std::optional<int> code = parse_command_line(app, argc, argv)) return *code;
  if (options.threads > 0) set_num_threads(options.threads);
  if (infer->parsed()) run_infer(options);
  if (ops->parsed()) run_ops(options);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return mrcnn::run_program("bench", [=] { return bench(argc, argv); });
}
