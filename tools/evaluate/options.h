// The command line of `evaluate`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/evaluation/numpy_mean.h"
#include "layers/execution.h"
#include "tools/report/progress.h"

namespace mrcnn {

enum class EvaluateWhat { kResults, kWeights, kComparison };

struct EvaluateOptions {
  EvaluateWhat what = EvaluateWhat::kResults;
  std::string results;
  std::vector<std::string> compare;  // two files
  std::string weights;
  std::string model;  // "": as the weights say
  std::string device = "auto";
  Precision precision = Precision::kFp32;
  std::optional<float> score;  // unset: the model's own
  int64_t batch = 1;
  int64_t max_images = 0;  // 0: all
  std::string results_out;

  std::string ground_truth;
  std::string images;  // the folder of its pictures
  std::string data;    // a folder, in the place of ground_truth
  std::string split = "val";

  std::vector<std::string> iou_types;  // of "bbox" and "segm"; empty: as the results allow
  bool skip_unknown = false;
  bool strict_pycocotools = false;
  NumpySum numpy_sum = NumpySum::kBlocks;
  bool voc = false;
  bool per_class = false;
  int64_t bootstrap = 0;  // resamples; 0: no intervals
  int64_t seed = 0;
  std::string json;
  std::string csv;
  std::string html;
  std::string confusion;
  int64_t threads = 0;  // 0: one per core, or OMP_NUM_THREADS
  bool quiet = false;
  ProgressMode progress = ProgressMode::kAuto;

  bool wants(const std::string& iou_type) const;  // or all
};

// The options, or an exit code when --help or --version has been answered. Throws UsageError.
std::variant<EvaluateOptions, int> parse_evaluate_options(int argc, char** argv);

// What --help prints.
std::string evaluate_help();

// The long options that exist, for the test that the help speaks of each.
std::vector<std::string> evaluate_option_names();

}  // namespace mrcnn
