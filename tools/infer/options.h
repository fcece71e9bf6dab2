// The command line of `infer`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/image/image.h"
#include "layers/execution.h"
#include "tools/report/progress.h"

namespace mrcnn {

struct InferOptions {
  std::vector<std::string> inputs;  // as for gather_inputs; --list FILE stands here as @FILE
  std::string weights;
  std::string model;  // "": as the weights say
  std::string device = "auto";
  Precision precision = Precision::kFp32;
  std::optional<float> score;  // unset: the model's own
  std::optional<double> nms;
  std::optional<int64_t> max_detections;
  std::string classes;  // "": all
  int64_t batch = 1;
  int64_t threads = 0;  // 0: one per core, or OMP_NUM_THREADS
  std::string json;     // "": none, "-": standard output
  std::string overlay_dir;
  std::string masks_dir;
  bool polygons = false;
  ExifPolicy exif = ExifPolicy::kApply;
  bool compat = false;
  bool quiet = false;
  bool strict = false;
  ProgressMode progress = ProgressMode::kAuto;
};

// The options, or an exit code when --help or --version has been answered. Throws UsageError.
std::variant<InferOptions, int> parse_infer_options(int argc, char** argv);

// What --help prints.
std::string infer_help();

// The long options that exist, for the test that the help speaks of each.
std::vector<std::string> infer_option_names();

}  // namespace mrcnn
