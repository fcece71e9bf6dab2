#include "tools/trainer/nonfinite_bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "tools/report/document_output.h"
#include "tools/report/json_writer.h"
#include "tools/trainer/config_file.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescription = "nonfinite.json";
constexpr std::string_view kFolderStart = "nonfinite-";

int num_bundles(const std::string& out) {
  int count = 0;
  std::error_code error;
  for (fs::directory_iterator entry(out, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with(kFolderStart)) ++count;
  }
  return count;
}

// The settings of a run that does the step again and nothing else.
TrainConfig replaying(const TrainConfig& run, const std::string& folder, int64_t number) {
  TrainConfig config = run;
  config.out = folder;
  config.stop_at = number;
  config.on_nonfinite = OnNonFinite::kStop;
  config.auto_resume = false;
  config.console = Console::kDefault;
  config.max_time = 0;
  config.val_split = "";
  if (config.data == "shapes") {  // those of the run are there
    config.data = run.out + "/shapes";
    config.train_split = "train";
  }
  return config;
}

void describe(const NonFiniteStep& step, const std::string& folder, const std::string& command) {
  DocumentOutput file(folder + "/" + kDescription);
  JsonWriter json([&file](std::string_view text) { file.write(text); });
  json.begin_object();
  json.member("step", step.losses.step + 1);
  json.member("seed", std::to_string(step.config.seed));  // may be above what JSON readers take
  json.member("lr", step.lr);
  json.key("image_ids");
  json.begin_array();
  for (const int64_t id : step.losses.image_ids) json.value(id);
  json.end_array();
  json.key("losses");
  json.begin_object();
  for (size_t k = 0; k < kLossNames.size(); ++k) {
    json.key(kLossNames[k]);
    const double loss = step.losses.parts[k];
    if (std::isfinite(loss)) {
      json.value(loss);
    } else {
      json.null();
    }
  }
  json.end_object();
  json.member("command", command);
  json.end_object();
  json.finish();
  file.commit();
}

// A second name for the newest checkpoint, which outlives its removal from the run.
void take_newest(const NonFiniteStep& step, const std::string& folder) {
  const std::vector<int64_t> steps = step.checkpoints.steps();
  if (steps.empty()) return;
  const CheckpointDirectory kept(folder);
  const std::string from = step.checkpoints.path_of(steps.back());
  std::error_code error;
  fs::create_hard_link(from, kept.path_of(steps.back()), error);
  if (error) fs::copy_file(from, kept.path_of(steps.back()), error);
  if (error) throw FileError(ExitCode::kResources, folder, "", "cannot copy: " + error.message());
}

void keep_state(const NonFiniteStep& step, const std::string& folder) {
  if (step.facts) {
    try {
      CheckpointDirectory(folder).save(*step.facts, step.tensors(), 2);
      return;
    } catch (const Error& error) {
      if (error.exit_code() != ExitCode::kDiverged) throw;  // weights that are not finite either
    }
  }
  take_newest(step, folder);
}

}  // namespace

std::string keep_nonfinite_step(const NonFiniteStep& step) {
  const std::string& out = step.config.out;
  if (fs::exists(out + "/" + kDescription)) return "this is the run that does a step again";
  const int64_t number = step.losses.step + 1;
  const std::string folder = fmt::format("{}/{}{:09}", out, kFolderStart, number);
  const std::string command = fmt::format("train --config {}/config.txt --resume", folder);
  if (fs::exists(folder + "/" + kDescription)) return "the step was kept before: " + command;
  if (num_bundles(out) >= kMostBundles) {
    return fmt::format("the step is not kept: {} has {} of its kind", out, kMostBundles);
  }
  try {
    fs::create_directories(folder);
    keep_state(step, folder);
    write_config(folder + "/config.txt", replaying(step.config, folder, number));
    describe(step, folder, command);
    return fmt::format("the step is kept; to do it again: {}", command);
  } catch (const FileError& error) {
    return fmt::format("the step is not kept: {}", error.what());
  } catch (const fs::filesystem_error& error) {
    return fmt::format("the step is not kept: {}", error.what());
  }
}

}  // namespace mrcnn
