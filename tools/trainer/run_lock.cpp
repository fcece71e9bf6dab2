#include "tools/trainer/run_lock.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "core/error.h"
#include "tools/report/utf8.h"

namespace mrcnn {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

// What the holder wrote: one line.
std::string read_holder(int descriptor) {
  std::array<char, 512> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), 0);
  if (count <= 0) return "another process";
  std::string holder(text.data(), static_cast<size_t>(count));
  holder.resize(std::min(holder.find('\n'), holder.size()));
  return printable(holder);
}

}  // namespace

RunLock::RunLock(const std::string& directory) {
  const std::string path = directory + "/.lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  const auto fail = [&](const char* action) {
    const int error = errno;
    if (descriptor_ >= 0) ::close(descriptor_);
    throw FileError(ExitCode::kResources, path, "",
                    fmt::format("{}: {}", action, std::generic_category().message(error)));
  };
  if (descriptor_ < 0) fail("cannot create");
  int result = -1;
  do {
    result = ::flock(descriptor_, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno == EWOULDBLOCK) {
    const std::string holder = read_holder(descriptor_);
    ::close(descriptor_);
    throw UsageError(fmt::format(
        "{} is in use by {}; wait for it, end it, or choose another folder", directory, holder));
  }
  if (result != 0) fail("cannot lock it");
  const std::string holder =
      fmt::format("process {} on {}, since {:%Y-%m-%d %H:%M:%S}\n", ::getpid(), host_name(),
                  fmt::localtime(std::time(nullptr)));
  // For people only: a full disk must not keep the lock from working.
  if (::ftruncate(descriptor_, 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(descriptor_, holder.data(), holder.size(), 0);
  }
}

RunLock::~RunLock() { ::close(descriptor_); }

}  // namespace mrcnn
