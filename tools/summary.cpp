// summary: prints a model's module tree, and what its stages cost.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "models/mask_rcnn/cost.h"
#include "models/mask_rcnn/precision.h"
#include "models/mask_rcnn/tree.h"
#include "models/zoo.h"
#include "tools/cli_main.h"
#include "tools/command_line.h"

namespace {

using namespace mrcnn;

struct Options {
  std::string model;
  int64_t num_classes = 91;
  bool flops = false;
  std::string precision;
  CostInput input;
};

void print_costs(const Options& options) {
  const std::vector<StageCost> stages =
      model_cost(model_config(options.model, options.num_classes), options.input);
  fmt::print("\n{}, {} classes, network input {}x{}, {} proposals, {} detections\n", options.model,
             options.num_classes, options.input.height, options.input.width,
             options.input.num_proposals, options.input.num_detections);
  fmt::print("{:<10} {:>12} {:>10} {:>10} {:>16}\n", "stage", "parameters", "buffers", "GFLOP",
             "activations MiB");
  StageCost total{.stage = "total"};
  const auto row = [](const StageCost& cost) {
    fmt::print("{:<10} {:>12} {:>10} {:>10.2f} {:>16.1f}\n", cost.stage, cost.parameters,
               cost.buffers, cost.flops / 1e9, cost.activation_bytes / (1024.0 * 1024.0));
  };
  for (const StageCost& cost : stages) {
    row(cost);
    total.parameters += cost.parameters;
    total.buffers += cost.buffers;
    total.flops += cost.flops;
    total.activation_bytes += cost.activation_bytes;
  }
  row(total);
  fmt::print("FLOP = 2 x multiply-adds of convolutions and products; activations are f32.\n");
}

void print_precision(const std::string& name) {
  fmt::print("\nprecision {}{}\n", name, name == "fp32" ? "" : ", on a GPU");
  fmt::print("{:<34} {:<22} {:<24} {}\n", "part", "reads", "computes in", "writes");
  for (const PrecisionRow& row : precision_table(parse_precision(name))) {
    fmt::print("{:<34} {:<22} {:<24} {}\n", row.part, row.operands, row.products, row.result);
  }
}

int summarize(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Prints the module tree of a model, with names as in weight files.\n\n"
      "  summary maskrcnn_resnet50_fpn\n"
      "  summary maskrcnn_resnet50_c5 --classes 21 --flops"};
  app.name("summary");
  std::string known;
  for (const std::string& name : model_names()) known += " " + name;
  app.add_option("model", options.model, "One of:" + known)->required();
  app.add_option("--classes", options.num_classes, "Number of classes, background included")
      ->capture_default_str();
  app.add_flag("--flops", options.flops, "Parameters, FLOPs and activation bytes per stage");
  app.add_option("--precision", options.precision,
                 "Which part is computed in which type for fp32, tf32 or bf16");
  app.add_option("--height", options.input.height, "Padded input height for --flops")
      ->capture_default_str()
      ->check(CLI::Range(32, 32768));
  app.add_option("--width", options.input.width, "Padded input width for --flops")
      ->capture_default_str()
      ->check(CLI::Range(32, 32768));
  app.add_option("--proposals", options.input.num_proposals, "Proposals per image for --flops")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000000));
  app.add_option("--detections", options.input.num_detections, "Detections per image for --flops")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000000));
  if (const std::optional<int> code = parse_command_line(app, argc, argv)) return *code;

  const MaskRcnnTree tree = build_tree(model_config(options.model, options.num_classes));
  fmt::print("{}\n", tree.root->to_string());
  if (options.flops) print_costs(options);
  if (!options.precision.empty()) print_precision(options.precision);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return mrcnn::run_program("summary", [=] { return summarize(argc, argv); });
}
