#include "tools/trainer/run_facts.h"

#include <fmt/format.h>

#include "core/parallel.h"

namespace mrcnn {
namespace {

std::string device_text(const TrainConfig& config, const DeviceChoice& device) {
  return fmt::format("{}, {}: {}", device.device.to_string(), config.precision, device.reason);
}

std::string describe(const Dataset& set) {
  return fmt::format("{}: {} images, {} classes", set.name(), set.size(), set.num_classes() - 1);
}

}  // namespace

std::vector<std::string> introduction(const TrainConfig& config, const ModelSetup& setup,
                                      int64_t num_trained, const TrainData& data,
                                      const DeviceChoice& device) {
  std::vector<std::string> lines{fmt::format("{}; {:.1f} million values are trained",
                                             setup.summary_line,
                                             static_cast<double>(num_trained) * 1e-6)};
  for (const std::string& name : setup.reinitialised) lines.push_back("random values: " + name);
  lines.push_back(fmt::format(
      "{}: {} images; {}", data.train->name(), data.train->size(),
      data.val ? fmt::format("evaluated on {} of {}", data.val->size(), data.val->name())
               : "not evaluated"));
  lines.insert(lines.end(), data.notes.begin(), data.notes.end());
  lines.push_back("device " + device_text(config, device));
  return lines;
}

std::vector<std::pair<std::string, std::string>> run_facts(const TrainConfig& config,
                                                           const std::string& model,
                                                           const TrainData& data,
                                                           const DeviceChoice& device) {
  std::vector<std::pair<std::string, std::string>> facts{
      {"Program", "maskrcnn.cpp " MRCNN_VERSION},
      {"Model", model},
      {"Device", device_text(config, device)},
      {"CPU threads", fmt::format("{} compute, {} load", num_threads(), config.loader_threads)},
      {"Training data", describe(*data.train)},
      {"Fingerprint of the data", data.train->fingerprint()},
      {"Evaluated on", data.val ? describe(*data.val) : "nothing"}};
  for (const std::string& note : data.notes) facts.emplace_back("Note", note);
  return facts;
}

}  // namespace mrcnn
