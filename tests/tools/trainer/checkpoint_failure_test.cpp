// Saving on a bad day. Every file operation that it makes is made to fail in turn, or the process
// is killed there, or the disk stores something else: what was reported as saved must stay.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/fault.h"
#include "tests/support/faults.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/trainer/checkpoint_maker.h"
#include "tools/trainer/checkpoint_directory.h"

namespace mrcnn::test {
namespace {

constexpr int64_t kKept = 2;

void save(const std::string& path, int64_t step) {
  CheckpointDirectory(path).save(small_facts(step), small_state(step), kKept);
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The step that resuming would take; every checkpoint there must verify.
int64_t newest_step(const std::string& path) {
  const ResumeSearch search = CheckpointDirectory(path).find_newest();
  CHECK(search.damaged.empty());
  REQUIRE(search.found);
  return search.found->facts.step;
}

// A folder that holds the checkpoints of steps 10 and 20.
struct SavedTwice {
  TemporaryDirectory folder;
  SavedTwice() {
    save(folder.path(), 10);
    save(folder.path(), 20);
  }
};

// The error of saving step 30 while `orders` hold; "" if it was saved.
std::string error_of_save(const std::string& path, const std::string& orders, int64_t& fired) {
  std::string problem;
  const Faults faults(orders);
  try {
    save(path, 30);
  } catch (const FileError& error) {
    problem = error.what();
    CHECK(error.exit_code() == ExitCode::kResources);
    CHECK(error.path() == CheckpointDirectory(path).path_of(30));
  }
  fired = faults.fired();
  return problem;
}

// Makes the N-th call of `place` fail, for N = 1, 2, ... until there is none. Returns how many of
// them kept the checkpoint from being saved.
int64_t failures(const std::string& place, const std::string& error, const std::string& reason,
                 const std::string& how_long) {
  int64_t count = 0;
  for (int64_t number = 1;; ++number) {
    REQUIRE(number < 200);
    const SavedTwice saved;
    const std::string& path = saved.folder.path();
    const std::string orders = error + "@" + place + ":" + std::to_string(number) + how_long;
    INFO(orders);
    int64_t fired = 0;
    const std::string problem = error_of_save(path, orders, fired);
    if (fired == 0) {
      CHECK(problem.empty());
      return count;
    }
    if (problem.empty()) {
      CHECK(newest_step(path) == 30);
      continue;
    }
    ++count;
    CHECK(problem.find(reason) != std::string::npos);
    // After the rename the new one is complete, though it was not reported as saved: the folder may
    // not have reached the disk. Nothing else is left in any case.
    std::vector<std::string> names = {checkpoint_name(10), checkpoint_name(20)};
    if (std::filesystem::exists(CheckpointDirectory(path).path_of(30))) {
      names.push_back(checkpoint_name(30));
    }
    CHECK(names_in(path) == names);
    CHECK(newest_step(path) == 10 * static_cast<int64_t>(names.size()));
  }
}

TEST_CASE("A full disk costs no checkpoint, wherever it is noticed") {
  // The header, three tensors, and the header again in its place.
  CHECK(failures("write", "ENOSPC", "No space left on device", "+") == 4);
  CHECK(failures("write", "EDQUOT", "quota exceeded", "") == 4);
  CHECK(failures("pwrite", "ENOSPC", "No space left on device", "+") == 1);
  CHECK(failures("fallocate", "ENOSPC", "no room for", "") == 1);
  CHECK(failures("fallocate", "EOPNOTSUPP", "", "") == 0);  // a file system that cannot reserve
}

TEST_CASE("Whatever else fails, what was reported as saved stays") {
  CHECK(failures("fsync", "EIO", "Input/output error", "") == 2);  // the file, the folder
  CHECK(failures("rename", "EIO", "cannot rename", "") == 1);
  CHECK(failures("close", "EIO", "cannot close", "") == 1);
  CHECK(failures("open", "EMFILE", "Too many open files", "") == 3);
  CHECK(failures("read", "EIO", "not saved: ", "") > 0);
  CHECK(failures("file", "ESTALE", "", "") > 10);
}

TEST_CASE("A failed fsync is not asked again") {
  const SavedTwice saved;
  const Faults faults("EIO@fsync:1");
  CHECK_THROWS_AS(save(saved.folder.path(), 30), FileError);
  CHECK(fault_at({.name = "fsync"}).kind == FaultKind::kNone);
  CHECK_FALSE(std::filesystem::exists(CheckpointDirectory(saved.folder.path()).path_of(30)));
}

TEST_CASE("Interruptions and short reads and writes change nothing") {
  for (const char* orders :
       {"EINTR@file:1+2", "EINTR@file:1+3", "short@write:1+,short@pwrite:1+,short@read:1+"}) {
    const SavedTwice saved;
    INFO(orders);
    int64_t fired = 0;
    CHECK(error_of_save(saved.folder.path(), orders, fired).empty());
    CHECK(fired > 10);
    const Faults faults(orders);
    CHECK(newest_step(saved.folder.path()) == 30);
    CHECK(faults.fired() > 0);
  }
}

TEST_CASE("A checkpoint that cannot be removed is told of, and removed the next time") {
  const SavedTwice saved;
  CheckpointDirectory directory(saved.folder.path());
  {
    const Faults faults("EACCES@unlink:1");
    const SavedCheckpoint result = directory.save(small_facts(30), small_state(30), kKept);
    CHECK(result.not_removed ==
          std::vector<std::string>{checkpoint_name(10) + ": Permission denied"});
  }
  CHECK(directory.save(small_facts(40), small_state(40), kKept).removed.size() == 2);
}

// Changes the byte that is due in what was written, when it is brought to disk.
std::atomic<int64_t> g_changed_byte{-1};

Fault change_byte(const FaultPlace& place) {
  if (place.name == "fsync" && g_changed_byte >= 0) {
    const std::string link = "/proc/self/fd/" + std::to_string(place.file);
    const int file = ::open(link.c_str(), O_RDWR);
    char byte = 0;
    const bool is_changed = ::pread(file, &byte, 1, g_changed_byte) == 1;
    byte = static_cast<char>(byte ^ 4);
    if (is_changed && ::pwrite(file, &byte, 1, g_changed_byte) != 1) ::_exit(1);
    ::close(file);
    g_changed_byte = is_changed ? -2 : -1;  // -1: the file is shorter
  }
  return {};
}

TEST_CASE("A disk that stores something else is found out before the old file is gone") {
  int64_t number = 0;
  for (int64_t byte = 0;; byte += 37) {
    const SavedTwice saved;
    g_changed_byte = byte;
    set_fault_hook(change_byte);
    INFO("byte ", byte);
    std::string problem;
    try {
      save(saved.folder.path(), 30);
    } catch (const FileError& error) {
      problem = error.what();
    }
    set_fault_hook(nullptr);
    if (g_changed_byte == -1) break;
    ++number;
    CHECK(problem.find("what was read back is not what was written") != std::string::npos);
    CHECK(names_in(saved.folder.path()) ==
          std::vector<std::string>{checkpoint_name(10), checkpoint_name(20)});
    CHECK(newest_step(saved.folder.path()) == 20);
  }
  CHECK(number > 30);
}

struct Ended {
  int64_t reported = 0;  // the last step that was told
  bool killed = false;
};

// Saves `steps` in a process of its own that obeys `orders`.
Ended save_in_process(const std::string& path, const std::string& orders,
                      const std::vector<int64_t>& steps) {
  std::array<int, 2> told{};
  REQUIRE(::pipe(told.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const Faults faults(orders);
    for (const int64_t step : steps) {
      save(path, step);
      if (::write(told[1], &step, sizeof(step)) != sizeof(step)) ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(told[1]);
  Ended ended;
  for (int64_t step = 0; ::read(told[0], &step, sizeof(step)) == sizeof(step);) {
    ended.reported = step;
  }
  ::close(told[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  ended.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  CHECK((ended.killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)));
  return ended;
}

TEST_CASE("A kill at any call of a save loses nothing that was reported, and resuming tidies up") {
  int64_t number = 1;
  for (;; ++number) {
    REQUIRE(number < 500);
    const SavedTwice saved;
    const std::string& path = saved.folder.path();
    INFO("call ", number);
    const Ended ended = save_in_process(path, "kill@file:" + std::to_string(number), {30, 40});
    if (!ended.killed) {
      CHECK(ended.reported == 40);
      break;
    }
    const int64_t newest = newest_step(path);
    const int64_t reported = std::max<int64_t>(ended.reported, 20);
    CHECK((newest == reported || newest == reported + 10));
    CheckpointDirectory(path).remove_leftovers();
    for (const std::string& name : names_in(path)) CHECK(checkpoint_step(name).has_value());
    // The run goes on.
    save(path, newest + 10);
    CHECK(newest_step(path) == newest + 10);
    CHECK(names_in(path).size() == 2);
  }
  MESSAGE("killed at each of ", number - 1, " calls of two saves");
  CHECK(number > 40);
}

}  // namespace
}  // namespace mrcnn::test
