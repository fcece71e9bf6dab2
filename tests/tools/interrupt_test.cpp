#include "tools/interrupt.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mrcnn;

TEST_CASE("NotesTheSignal") {
  {
    const InterruptGuard guard;
    CHECK_FALSE(guard.requested());
    raise(SIGINT);
    CHECK(guard.requested() == ExitCode::kInterrupted);
  }
  const InterruptGuard guard;
  CHECK_FALSE(guard.requested());  // a new guard starts afresh
  raise(SIGTERM);
  CHECK(guard.requested() == ExitCode::kTerminated);
}

TEST_CASE("TheSecondSignalEndsTheProgram") {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const InterruptGuard guard;
    raise(SIGINT);
    raise(SIGINT);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
}

TEST_CASE("AnIgnoredSignalStaysIgnored") {
  signal(SIGINT, SIG_IGN);
  {
    const InterruptGuard guard;
    raise(SIGINT);
    CHECK_FALSE(guard.requested());
  }
  raise(SIGINT);  // would end the test if the guard had not restored it
  signal(SIGINT, SIG_DFL);
}
