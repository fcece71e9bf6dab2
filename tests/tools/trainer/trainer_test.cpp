#include "tools/trainer/trainer.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temporary_directory.h"
#include "tests/tools/trainer/tiny_run.h"

namespace mrcnn {
namespace {

// A set of shapes and runs on it: an epoch is one step, with an evaluation and a checkpoint after
// each.
struct Runs {
  test::TemporaryDirectory folder;
  TrainConfig config;

  explicit Runs(int64_t val_images) : config(test::tiny_run(folder.path(), 1, val_images)) {}

  ExitCode run(bool resume = false) const {
    return run_training({.config = config, .resume = resume, .quiet = true});
  }
  bool has(const std::string& name) const {
    return std::filesystem::exists(config.out + "/" + name);
  }
  std::string weights() const { return test::read_text(config.out + "/final.safetensors"); }

  // "train 1", "eval 1", ... as the log has them.
  std::vector<std::string> logged() const {
    std::istringstream rows(test::read_text(config.out + "/log.csv"));
    std::vector<std::string> records;
    std::string row;
    std::getline(rows, row);  // the header
    while (std::getline(rows, row)) {
      const size_t epoch = row.find(','), kind = row.find(',', epoch + 1) + 1;
      records.push_back(row.substr(kind, row.find(',', kind) - kind) + " " + row.substr(0, epoch));
    }
    return records;
  }
};

using Records = std::vector<std::string>;

// Sends this process a signal as soon as somebody opens a file.
class SignalOnOpen {
 public:
  SignalOnOpen(const std::string& path, int number) : queue_(inotify_init1(IN_CLOEXEC)) {
    if (queue_ < 0 || inotify_add_watch(queue_, path.c_str(), IN_OPEN) < 0) {
      throw std::runtime_error("cannot watch " + path);
    }
    watcher_ = std::thread([this, number] {
      constexpr int kSliceMs = 20;
      pollfd waiting{.fd = queue_, .events = POLLIN, .revents = 0};
      while (!over_ && !sent_) {
        sent_ = poll(&waiting, 1, kSliceMs) == 1 && kill(getpid(), number) == 0;
      }
    });
  }
  ~SignalOnOpen() {
    over_ = true;
    watcher_.join();
    close(queue_);
  }
  SignalOnOpen(const SignalOnOpen&) = delete;
  SignalOnOpen& operator=(const SignalOnOpen&) = delete;

  bool sent() const { return sent_; }

 private:
  int queue_;
  std::atomic<bool> over_ = false;
  std::atomic<bool> sent_ = false;
  std::thread watcher_;
};

TEST_CASE("A signal during an evaluation drops it; the resumed run makes it up") {
  Runs runs(8);
  runs.config.epochs = 2;
  {
    SignalOnOpen signal(runs.folder / "data/val/000001.png", SIGTERM);
    CHECK(runs.run() == ExitCode::kTerminated);
    REQUIRE(signal.sent());
  }
  CHECK(runs.logged() == Records{"train 1"});  // no numbers of a part of the images
  CHECK(runs.has("checkpoint-000000001.safetensors"));
  CHECK_FALSE(runs.has("final.safetensors"));

  runs.config.eval_images = 1;
  CHECK(runs.run(true) == ExitCode::kOk);
  CHECK(runs.logged() == Records{"train 1", "eval 1", "train 2", "eval 2"});
  const std::string resumed = runs.weights();

  runs.config.out = runs.folder / "undisturbed";
  CHECK(runs.run() == ExitCode::kOk);
  CHECK(runs.logged() == Records{"train 1", "eval 1", "train 2", "eval 2"});
  CHECK(runs.weights() == resumed);
}

TEST_CASE("A run stops after `patience` evaluations that bring nothing better") {
  Runs runs(1);
  runs.config.epochs = 9;
  runs.config.best_metric = "mask_apl";  // always -1: no object is large
  runs.config.patience = 1;
  CHECK(runs.run() == ExitCode::kOk);
  CHECK(runs.logged() == Records{"train 1", "eval 1", "train 2", "eval 2"});
  CHECK(runs.has("final.safetensors"));
  CHECK(runs.has("checkpoint-000000001.safetensors"));  // the best

  // With more patience it goes on. What was evaluated is not evaluated again.
  runs.config.patience = 2;
  CHECK(runs.run(true) == ExitCode::kOk);
  CHECK(runs.logged() == Records{"train 1", "eval 1", "train 2", "eval 2", "train 3", "eval 3"});
  CHECK(runs.has("checkpoint-000000001.safetensors"));
  CHECK(runs.has("checkpoint-000000003.safetensors"));
}

}  // namespace
}  // namespace mrcnn
