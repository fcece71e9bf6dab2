#include "tools/trainer/run_lock.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>

#include "core/error.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

std::string refusal(const std::string& directory) {
  try {
    const RunLock lock(directory);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("A directory that cannot hold a lock is a matter of resources") {
  try {
    const RunLock lock("/absent");
    FAIL("locked");
  } catch (const FileError& error) {
    CHECK(error.exit_code() == ExitCode::kResources);
  }
}

TEST_CASE("The second is refused and told who is first, until that one is gone") {
  const test::TemporaryDirectory folder;
  {
    const RunLock lock(folder.path());
    const auto asked = std::chrono::steady_clock::now();
    const std::string message = refusal(folder.path());
    CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds(1));
    CHECK(message.find(folder.path() + " is in use by process " + std::to_string(::getpid())) !=
          std::string::npos);
    CHECK(message.find(", since 2") != std::string::npos);
  }
  CHECK(refusal(folder.path()).empty());
}

TEST_CASE("A process that is killed loses its lock") {
  const test::TemporaryDirectory folder;
  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const RunLock lock(folder.path());
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(refusal(folder.path()).find("process " + std::to_string(child)) != std::string::npos);
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(test::read_text(folder / ".lock").find(std::to_string(child)) != std::string::npos);
  const RunLock lock(folder.path());  // takes the stale file over
  CHECK(test::read_text(folder / ".lock").find("process " + std::to_string(::getpid())) == 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace mrcnn
