// The table of all settings, and the presets. A new setting is a member in train_config.h and a
// line in settings.cpp; reading, writing, hashing and --help follow.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/trainer/setting.h"

namespace mrcnn {

const std::vector<Setting>& settings();

// Throws UsageError that names the nearest key.
const Setting& find_setting(std::string_view name);

// "  lr            0.0025     learning rate ... (a number from 0 up)", one a line.
std::string settings_help();

struct Preset {
  std::string name;
  std::string help;                // one line, with the source
  std::vector<std::string> lines;  // "key = value"
};
const std::vector<Preset>& presets();

}  // namespace mrcnn
