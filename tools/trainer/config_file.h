// The configuration as text: a flat file of `key = value` lines and words `key=value` of a command
// line. Later layers win over earlier ones: defaults, preset, file, command line.
//
//   # a comment; one may also follow a value, after a space
//   lr = 0.02
//   data = "/photos/set #1"     quotes where spaces or # belong to a value; \" and \\ inside
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/trainer/train_config.h"

namespace mrcnn {

struct ConfigSources {
  std::string file;                    // path; "": none
  std::vector<std::string> overrides;  // "key=value"
};

// Throws FileError (ExitCode::kUsage) that names file and line, or UsageError that names the
// override: unknown keys (with the nearest known one), keys given twice in one layer, values of the
// wrong type or out of range.
TrainConfig read_config(const ConfigSources& sources);
// The text of a file, which checkpoints carry, as the only layer over defaults and preset. `path`
// is for messages.
TrainConfig parse_config(std::string_view text, const std::string& path);

// What one value cannot tell: throws UsageError where settings contradict each other.
void check_config(const TrainConfig& config);

// Every key in the order of the table. Reads back to the same configuration.
std::string config_text(const TrainConfig& config);
// Written so that it is complete or not there.
void write_config(const std::string& path, const TrainConfig& config);

// SHA-256 over the settings that the trained weights depend on.
std::string config_hash(const TrainConfig& config);
// The ones among them that differ: "lr: 0.02, was 0.01".
std::vector<std::string> changed_settings(const TrainConfig& before, const TrainConfig& after);

}  // namespace mrcnn
