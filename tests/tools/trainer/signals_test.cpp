#include "tools/trainer/signals.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mrcnn {
namespace {

TEST_CASE("Each signal means what it says") {
  TrainingSignals signals;
  CHECK_FALSE(signals.stop_requested());
  CHECK_FALSE(signals.take_save_request());
  raise(SIGHUP);
  raise(SIGPIPE);
  CHECK_FALSE(signals.stop_requested());
  raise(SIGUSR1);
  raise(SIGUSR1);
  CHECK(signals.take_save_request());
  CHECK_FALSE(signals.take_save_request());
  CHECK_FALSE(signals.stop_requested());
  raise(SIGTERM);
  CHECK(signals.stop_requested() == ExitCode::kTerminated);
}

TEST_CASE("A new one starts afresh, and what was before comes back") {
  signal(SIGHUP, SIG_IGN);  // as nohup does
  {
    TrainingSignals signals;
    raise(SIGUSR1);
    raise(SIGINT);
  }
  TrainingSignals signals;
  CHECK_FALSE(signals.take_save_request());
  CHECK_FALSE(signals.stop_requested());
  raise(SIGINT);
  CHECK(signals.stop_requested() == ExitCode::kInterrupted);
}

TEST_CASE("Afterwards the signals act as before") {
  signal(SIGHUP, SIG_IGN);
  { const TrainingSignals signals; }
  raise(SIGHUP);  // would end the test
  signal(SIGHUP, SIG_DFL);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    { const TrainingSignals signals; }
    raise(SIGUSR1);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGUSR1);
}

TEST_CASE("The second request to stop ends the program at once") {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const TrainingSignals signals;
    raise(SIGTERM);
    raise(SIGTERM);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}

}  // namespace
}  // namespace mrcnn
