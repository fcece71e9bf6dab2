#include "tools/trainer/nonfinite.h"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/fault.h"
#include "tests/support/faults.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/trainer/tiny_run.h"
#include "tools/trainer/checkpoint_directory.h"
#include "tools/trainer/config_file.h"
#include "tools/trainer/trainer.h"

namespace mrcnn {
namespace {

ExitCode code_of(const std::function<void()>& body, std::string& message) {
  try {
    body();
    return ExitCode::kOk;
  } catch (const Error& error) {
    message = error.what();
    return error.exit_code();
  }
}

TEST_CASE("Skipping ends at ten in a row, going back at ten times to one checkpoint") {
  std::string message;
  NonFinitePolicy skip(OnNonFinite::kSkip);
  for (int i = 0; i < 9; ++i) CHECK(skip.judge("x") == NonFinitePolicy::Action::kSkip);
  skip.passed();
  for (int i = 0; i < 9; ++i) CHECK(skip.judge("x") == NonFinitePolicy::Action::kSkip);
  CHECK(code_of([&] { skip.judge("step 5"); }, message) == ExitCode::kDiverged);
  CHECK(message == "step 5; it was the 10th in a row");

  NonFinitePolicy back(OnNonFinite::kRollback);
  for (int i = 0; i < 10; ++i) CHECK(back.judge("x") == NonFinitePolicy::Action::kRollback);
  back.saved();
  for (int i = 0; i < 10; ++i) CHECK(back.judge("x") == NonFinitePolicy::Action::kRollback);
  back.passed();  // a finite step alone is no progress
  CHECK(code_of([&] { back.judge("step 5"); }, message) == ExitCode::kDiverged);

  NonFinitePolicy stop(OnNonFinite::kStop);
  CHECK(code_of([&] { stop.judge("step 5"); }, message) == ExitCode::kDiverged);
  CHECK(message == "step 5. A lower lr or clip_norm may help");
}

// Two images, a step each, a checkpoint after each.
struct Runs {
  test::TemporaryDirectory folder;
  TrainConfig config = test::tiny_run(folder.path(), 2, 1);

  Runs() {
    config.val_split = "";
    config.steps = 4;
    config.save_every = 1;
  }

  ExitCode run(bool resume = false) const {
    return run_training({.config = config, .resume = resume, .quiet = true});
  }
  std::vector<int64_t> checkpoints() const { return CheckpointDirectory(config.out).steps(); }
  TrainFacts newest() const { return CheckpointDirectory(config.out).find_newest().found->facts; }
  std::string weights(const std::string& out) const {
    return test::read_text(out + "/final.safetensors");
  }
};

std::atomic<int> g_left{0};  // NaNs in the loss of step 3 that are still to come

Fault nan_a_few_times(const FaultPlace& place) {
  const bool hit = place.name == "loss" && place.number == 3 && g_left > 0;
  if (!hit) return {};
  --g_left;
  return {.kind = FaultKind::kNan};
}

TEST_CASE("A run goes back to the last checkpoint with half the learning rate, and remembers it") {
  Runs runs;
  runs.config.on_nonfinite = OnNonFinite::kRollback;
  g_left = 2;
  const FaultHook before = set_fault_hook(nan_a_few_times);
  const ExitCode code = runs.run();
  set_fault_hook(before);
  CHECK(code == ExitCode::kOk);
  CHECK(g_left == 0);
  CHECK(runs.newest().step == 4);
  CHECK(lr_scale_of(runs.newest()) == 0.25);
  std::istringstream log(test::read_text(runs.config.out + "/log.csv"));
  std::vector<std::string> rows;
  for (std::string row; std::getline(log, row);) rows.push_back(row.substr(0, row.find(',')));
  CHECK(rows == std::vector<std::string>{"step", "1", "2", "3", "4"});

  // Killed after step 3 and resumed, it ends in the same weights.
  const std::string wanted = runs.weights(runs.config.out);
  std::filesystem::remove(runs.config.out + "/checkpoint-000000004.safetensors");
  std::filesystem::remove(runs.config.out + "/final.safetensors");
  CHECK(runs.run(true) == ExitCode::kOk);
  CHECK(runs.weights(runs.config.out) == wanted);
}

TEST_CASE("Without a step that helps, a run that goes back ends; its checkpoints are finite") {
  Runs runs;
  runs.config.on_nonfinite = OnNonFinite::kRollback;
  std::string message;
  {
    const test::Faults faults("nan@gradient:1");
    CHECK(code_of([&] { runs.run(); }, message) == ExitCode::kDiverged);
    CHECK(faults.fired() == 1 + NonFinitePolicy::kMostRollbacks);
  }
  CHECK(message.starts_with("step 1: "));
  CHECK(runs.checkpoints() == std::vector<int64_t>{0});
  CHECK(runs.run(true) == ExitCode::kOk);
}

TEST_CASE("What a step that was not finite leaves does it again with one command") {
  Runs runs;
  std::string first, again;
  const std::string folder = runs.config.out + "/nonfinite-000000003";
  const auto replay = [&folder] {
    return run_training({.config = read_config({.file = folder + "/config.txt", .overrides = {}}),
                         .resume = true,
                         .quiet = true});
  };
  {
    const test::Faults faults("nan@image:3");
    CHECK(code_of([&] { runs.run(); }, first) == ExitCode::kDiverged);
    CHECK(runs.checkpoints() == std::vector<int64_t>{1, 2});
    CHECK(code_of([&] { replay(); }, again) == ExitCode::kDiverged);
    CHECK(first == again);  // images and losses too
    CHECK_FALSE(std::filesystem::exists(folder + "/nonfinite-000000003"));
    CHECK(test::read_text(folder + "/nonfinite.json").find("\"step\":3,") != std::string::npos);
  }
  // Without the fault it does that step and no more.
  CHECK(replay() == ExitCode::kOk);
  CHECK(CheckpointDirectory(folder).steps() == std::vector<int64_t>{2, 3});
}

TEST_CASE("A learning rate of 1000 ends with the code for it; checkpoints before are finite") {
  for (const OnNonFinite policy : {OnNonFinite::kStop, OnNonFinite::kSkip}) {
    Runs runs;
    runs.config.on_nonfinite = policy;
    runs.config.lr = 1000;
    runs.config.steps = 40;
    runs.config.save_every = 40;
    std::string message;
    CHECK(code_of([&] { runs.run(); }, message) == ExitCode::kDiverged);
    CAPTURE(message);
    for (const int64_t step : runs.checkpoints()) {
      CHECK_NOTHROW(read_checkpoint(CheckpointDirectory(runs.config.out).path_of(step)));
    }
  }
}

}  // namespace
}  // namespace mrcnn
