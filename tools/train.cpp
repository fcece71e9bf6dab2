// train: trains or fine-tunes a model on a data set.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "tools/cli_main.h"
#include "tools/command_line.h"
#include "tools/trainer/config_file.h"
#include "tools/trainer/settings.h"
#include "tools/trainer/trainer.h"

namespace {

using namespace mrcnn;

struct Options {
  std::string config_file;
  std::vector<std::string> named;     // key=value, from options of their own
  std::vector<std::string> settings;  // key=value, from --set
  bool resume = false;
  bool quiet = false;
  int threads = 0;
};

// --save-every 3 is the setting save_every=3.
void add_setting_options(CLI::App& app, std::vector<std::string>& overrides) {
  for (const char* name :
       {"data", "model", "out", "init", "preset", "epochs", "steps", "batch", "accumulate", "lr",
        "seed", "device", "precision", "save-every", "eval-every", "loader-threads", "max-time",
        "on-nonfinite", "watchdog-step"}) {
    std::string key = name;
    for (char& c : key) c = c == '-' ? '_' : c;
    const Setting& setting = find_setting(key);
    app.add_option_function<std::string>(
           std::string("--") + name,
           [&overrides, key](const std::string& value) { overrides.push_back(key + "=" + value); },
           setting.help)
        ->type_name("");
  }
}

void list_presets() {
  for (const Preset& preset : presets()) {
    fmt::print("{}: {}\n", preset.name, preset.help);
    for (const std::string& line : preset.lines) fmt::print("  {}\n", line);
  }
}

int train(int argc, char** argv) {
  Options options;
  bool help_settings = false, help_presets = false;
  CLI::App app{
      "Trains a model on COCO, PASCAL VOC or generated data, evaluates it and saves it.\n\n"
      "  train --data shapes --model maskrcnn_resnet18_fpn --out runs/first --epochs 4\n"
      "  train --data coco2017 --preset torchvision_v1 --init resnet50.pth --out runs/coco\n"
      "  train --resume --out runs/coco --data coco2017 --preset torchvision_v1\n\n"
      "The run ends with OUT/final.safetensors, which infer takes as --weights."};
  app.name("train");
  add_setting_options(app, options.named);
  app.add_option("--config", options.config_file, "File of key = value lines");
  app.add_option("--set", options.settings,
                 "key=value, any number of them; --settings lists the keys")
      ->type_name("");
  app.add_flag("--resume", options.resume, "Go on from the newest checkpoint in --out");
  app.add_flag("--settings", help_settings, "List every setting with its default, and stop");
  app.add_flag("--presets", help_presets, "List the presets, and stop");
  app.add_option("--threads", options.threads, "CPU threads that compute; default: all")
      ->check(CLI::Range(1, 1024));
  app.add_flag("--quiet", options.quiet, "No progress");
  if (const std::optional<int> done = parse_command_line(app, argc, argv)) return *done;
  if (help_settings) {
    fmt::print("{}", settings_help());
    return 0;
  }
  if (help_presets) {
    list_presets();
    return 0;
  }
  if (options.threads > 0) set_num_threads(options.threads);
  std::vector<std::string> overrides = options.named;
  overrides.insert(overrides.end(), options.settings.begin(), options.settings.end());
  TrainerOptions run;
  run.config = read_config({.file = options.config_file, .overrides = overrides});
  run.resume = options.resume;
  run.quiet = options.quiet;
  // A run gives them their meanings; before and after it they must not end the program.
  for (const int number : {SIGUSR1, SIGHUP, SIGPIPE}) std::signal(number, SIG_IGN);
  return static_cast<int>(run_training(run));
}

}  // namespace

int main(int argc, char** argv) {
  return mrcnn::run_program("train", [&] { return train(argc, argv); });
}
