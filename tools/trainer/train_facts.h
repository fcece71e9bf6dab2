// What a checkpoint says of its run beside the tensors: enough to go on with the same numbers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace mrcnn {

struct TrainFacts {
  int64_t step = 0;              // optimizer steps that are done
  int64_t epoch = 0;             // passes over the data that are complete
  int64_t sampler_position = 0;  // batches of the current pass that are used up
  uint64_t seed = 0;             // of all random streams, which are functions of it and the step
  std::string schedule;  // state of the learning rate beyond the step; "" for a pure function
  std::string data_fingerprint;
  std::string config;                     // every setting, as config_text() writes it
  std::string config_hash;                // config_hash()
  std::string history;                    // MetricHistory::text()
  double elapsed_s = 0;                   // training time of all runs so far
  std::map<std::string, double> metrics;  // of the latest evaluation
  std::optional<double> best_metric;
  int64_t best_step = 0;  // whose checkpoint it is
  // Whatever else a trainer needs, under names of its own.
  std::map<std::string, std::string> extra;
  // The model's facts, models/weight_metadata.h.
  std::map<std::string, std::string> model;
};

// The factor of the learning rate beside its schedule, which a run that went back has below 1.
void set_lr_scale(TrainFacts& facts, double scale);
double lr_scale_of(const TrainFacts& facts);

// As text metadata of the checkpoint, and back. `path` is for messages: FileError
// (ExitCode::kModel) names the key that is missing or cannot be read.
std::map<std::string, std::string> facts_to_metadata(const TrainFacts& facts);
TrainFacts facts_from_metadata(const std::map<std::string, std::string>& metadata,
                               const std::string& path);

}  // namespace mrcnn
