// Saving on a bad day. Every call to the system that it makes is made to fail in turn, or to write
// something else than it was given, and the process is killed at any moment: the previous
// checkpoint must stay. The calls are replaced for the whole program by the definitions below.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include "tests/support/temporary_directory.h"
#include "tests/tools/trainer/checkpoint_maker.h"
#include "tools/trainer/checkpoint_directory.h"

namespace {

// Counts calls down to the one that fails; below 0: none does.
int calls_left = -1;
const char* failed_call = "";

// The same for the call whose bytes are changed on their way.
int honest_writes_left = -1;

std::string changed_if_due(const void* data, size_t count) {
  std::string bytes(static_cast<const char*>(data), count);
  if (honest_writes_left < 0 || honest_writes_left-- > 0) return bytes;
  bytes[count / 2] = static_cast<char>(bytes[count / 2] ^ 4);
  return bytes;
}

bool fails(const char* name) {
  if (calls_left < 0 || calls_left-- > 0) return false;
  failed_call = name;
  return true;
}

template <typename Function>
Function next_of(const char* name) {
  void* symbol = ::dlsym(RTLD_NEXT, name);
  Function function = nullptr;
  static_assert(sizeof(function) == sizeof(symbol));
  std::memcpy(&function, &symbol, sizeof(function));
  return function;
}

}  // namespace

extern "C" {

int posix_fallocate(int file, off_t offset, off_t length) {
  if (fails("posix_fallocate")) return ENOSPC;
  return next_of<int (*)(int, off_t, off_t)>("posix_fallocate")(file, offset, length);
}

ssize_t write(int file, const void* data, size_t count) {
  if (fails("write")) {
    errno = ENOSPC;
    return -1;
  }
  const std::string bytes = changed_if_due(data, count);
  return next_of<ssize_t (*)(int, const void*, size_t)>("write")(file, bytes.data(), count);
}

ssize_t pwrite(int file, const void* data, size_t count, off_t offset) {
  if (fails("pwrite")) {
    errno = EIO;
    return -1;
  }
  const std::string bytes = changed_if_due(data, count);
  return next_of<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(file, bytes.data(), count,
                                                                         offset);
}

int fsync(int file) {
  if (fails("fsync")) {
    errno = EIO;
    return -1;
  }
  return next_of<int (*)(int)>("fsync")(file);
}

int rename(const char* from, const char* to) {
  if (fails("rename")) {
    errno = EIO;
    return -1;
  }
  return next_of<int (*)(const char*, const char*)>("rename")(from, to);
}

}  // extern "C"

namespace mrcnn::test {
namespace {

TEST_CASE("Whatever fails, the previous checkpoint stays and nothing else does") {
  const TemporaryDirectory folder;
  CheckpointDirectory directory(folder.path());
  directory.save(small_facts(10), small_state(10), 2);
  const std::string before = read_text(directory.path_of(10));
  std::string failed;
  int number = 0;
  for (;; ++number) {
    REQUIRE(number < 100);
    calls_left = number;
    failed_call = "";
    bool saved = false;
    try {
      directory.save(small_facts(20), small_state(20), 2);
      saved = true;
    } catch (const FileError& error) {
      CHECK(error.exit_code() == ExitCode::kResources);
      CHECK(std::string(error.what()).find(directory.path_of(20)) != std::string::npos);
    }
    calls_left = -1;
    if (saved) break;
    failed += std::string(failed_call) + " ";
    INFO("call ", number, ": ", failed_call);
    CHECK(read_text(directory.path_of(10)) == before);
    // After the rename the new one is complete, though it was not reported as saved: the directory
    // may not have reached the disk.
    const bool renamed = std::filesystem::exists(directory.path_of(20));
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1 + renamed);
    CHECK(directory.find_newest().found->facts.step == (renamed ? 20 : 10));
  }
  CHECK(failed == "posix_fallocate write write write write pwrite fsync rename fsync ");
  CHECK(directory.find_newest().found->facts.step == 20);
}

TEST_CASE("A disk that stores something else is found out before the old file is gone") {
  const TemporaryDirectory folder;
  CheckpointDirectory directory(folder.path());
  directory.save(small_facts(10), small_state(10), 2);
  // The first write is overwritten by the last one, so it may lie.
  for (int number = 1; number <= 4; ++number) {
    honest_writes_left = number;
    INFO("write ", number);
    CHECK_THROWS_WITH_AS(directory.save(small_facts(20), small_state(20), 2),
                         doctest::Contains("what was read back is not what was written"),
                         FileError);
    CHECK(honest_writes_left == -1);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
    CHECK(directory.find_newest().found->facts.step == 10);
  }
}

// Saves one step after the other and tells of each that was reported as saved.
[[noreturn]] void save_for_ever(const std::string& path, int64_t step, int told) {
  CheckpointDirectory directory(path);
  while (true) {
    ++step;
    directory.save(small_facts(step), small_state(step), 2);
    if (::write(told, &step, sizeof(step)) != sizeof(step)) ::_exit(1);
  }
}

TEST_CASE("A process that is killed while saving loses nothing that it reported as saved") {
  const TemporaryDirectory folder;
  int64_t newest = 0;
  for (uint64_t run = 0; run < 20; ++run) {
    std::array<int, 2> told{};
    REQUIRE(::pipe(told.data()) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) save_for_ever(folder.path(), newest, told[1]);
    ::close(told[1]);
    int64_t reported = 0;
    REQUIRE(::read(told[0], &reported, sizeof(reported)) == sizeof(reported));
    ::usleep(static_cast<useconds_t>(RandomStream{.seed = 7}.word(run) % 10000));
    ::kill(child, SIGKILL);
    while (::read(told[0], &reported, sizeof(reported)) == sizeof(reported)) {
    }
    ::close(told[0]);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    CheckpointDirectory directory(folder.path());
    const ResumeSearch search = directory.find_newest();
    REQUIRE(search.found);
    CHECK(search.damaged.empty());
    CHECK(search.found->facts.step >= reported);
    CHECK(search.found->facts.step <= reported + 1);
    CHECK(directory.remove_leftovers() <= 1);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) <= 3);
    newest = search.found->facts.step;
  }
}

}  // namespace
}  // namespace mrcnn::test
