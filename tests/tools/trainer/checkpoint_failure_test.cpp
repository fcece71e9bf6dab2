// Every call to the system that saving makes is made to fail in turn: the previous checkpoint must
// stay, nothing may be left behind, and the error must say that it was not saved. The calls are
// replaced for the whole program by the definitions below.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tests/tools/infer/temporary_directory.h"
#include "tests/tools/trainer/checkpoint_maker.h"
#include "tools/trainer/checkpoint_directory.h"

namespace {

// Counts calls down to the one that fails; below 0: none does.
int calls_left = -1;
const char* failed_call = "";

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
  return next_of<ssize_t (*)(int, const void*, size_t)>("write")(file, data, count);
}

ssize_t pwrite(int file, const void* data, size_t count, off_t offset) {
  if (fails("pwrite")) {
    errno = EIO;
    return -1;
  }
  return next_of<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(file, data, count, offset);
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

}  // namespace
}  // namespace mrcnn::test
