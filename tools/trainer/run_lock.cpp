#include "tools/trainer/run_lock.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <span>
#include <system_error>

#include "core/error.h"
#include "core/io/file_calls.h"
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
  const ssize_t count = file_calls::read_at(descriptor, std::as_writable_bytes(std::span(text)), 0);
  if (count <= 0) return "another process";
  std::string holder(text.data(), static_cast<size_t>(count));
  holder.resize(std::min(holder.find('\n'), holder.size()));
  return printable(holder);
}

}  // namespace

RunLock::RunLock(const std::string& directory) {
  const std::string path = directory + "/.lock";
  descriptor_ = file_calls::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC);
  const auto fail = [&](const char* action) {
    const int error = errno;
    if (descriptor_ >= 0) file_calls::close(descriptor_);
    throw FileError(ExitCode::kResources, path, "",
                    fmt::format("{}: {}", action, std::generic_category().message(error)));
  };
  if (descriptor_ < 0) fail("cannot create");
  const int result = file_calls::lock(descriptor_);
  if (result != 0 && errno == EWOULDBLOCK) {
    const std::string holder = read_holder(descriptor_);
    file_calls::close(descriptor_);
    throw UsageError(fmt::format(
        "{} is in use by {}; wait for it, end it, or choose another folder", directory, holder));
  }
  if (result != 0) fail("cannot lock it");
  const std::string holder =
      fmt::format("process {} on {}, since {:%Y-%m-%d %H:%M:%S}\n", ::getpid(), host_name(),
                  fmt::localtime(std::time(nullptr)));
  // For people only: a full disk must not keep the lock from working.
  if (file_calls::truncate(descriptor_) == 0) {
    file_calls::write_at(descriptor_, std::as_bytes(std::span(holder)), 0);
  }
}

RunLock::~RunLock() { file_calls::close(descriptor_); }

}  // namespace mrcnn
