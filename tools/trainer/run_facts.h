// What a run says of itself, before its first step and on its page.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/device.h"
#include "tools/trainer/model_setup.h"
#include "tools/trainer/open_data.h"
#include "tools/trainer/train_config.h"

namespace mrcnn {

// A line each. num_trained: values.
std::vector<std::string> introduction(const TrainConfig& config, const ModelSetup& setup,
                                      int64_t num_trained, const TrainData& data,
                                      const DeviceChoice& device);

// Names and values: versions, device, threads, data.
std::vector<std::pair<std::string, std::string>> run_facts(const TrainConfig& config,
                                                           const std::string& model,
                                                           const TrainData& data,
                                                           const DeviceChoice& device);

}  // namespace mrcnn
