#include "data/coco/source_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/error.h"

namespace mrcnn {
namespace {

constexpr int64_t kNanoseconds = 1'000'000'000;
constexpr int64_t kSettlingTime = 2 * kNanoseconds;  // no file system in use has longer ticks

int64_t to_ns(const timespec& time) {
  return int64_t{time.tv_sec} * kNanoseconds + int64_t{time.tv_nsec};
}

[[noreturn]] void fail(const std::string& path, const std::string& action, int error) {
  const bool out_of_means = error == EMFILE || error == ENFILE || error == ENOMEM;
  throw FileError(out_of_means ? ExitCode::kResources : ExitCode::kData, path, "",
                  action + ": " + std::generic_category().message(error));
}

SourceStamp stamp_of(const struct stat& status) {
  return {.size = int64_t{status.st_size},
          .modified_ns = to_ns(status.st_mtim),
          .changed_ns = to_ns(status.st_ctim),
          .inode = static_cast<uint64_t>(status.st_ino),
          .device = static_cast<uint64_t>(status.st_dev)};
}

}  // namespace

SourceFile::SourceFile(const std::string& path) : path_(path) {
  // Non-blocking, so that opening a FIFO nobody writes to does not wait for ever.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail(path, "cannot open", errno);
  struct stat status {};
  const int error = ::fstat(descriptor_, &status) == 0 ? 0 : errno;
  if (error != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    if (error != 0) fail(path, "cannot read its size", error);
    throw FileError(ExitCode::kData, path, "",
                    S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file");
  }
  stamp_ = stamp_of(status);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  is_settled_ = to_ns(now) - stamp_.changed_ns >= kSettlingTime;
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);  // a hint
}

SourceFile::~SourceFile() { ::close(descriptor_); }

size_t SourceFile::read(std::span<char> target) {
  size_t done = 0;
  while (done < target.size()) {
    const ssize_t count = ::read(descriptor_, target.data() + done, target.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_, "cannot read", errno);
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

void SourceFile::rewind() {
  if (::lseek(descriptor_, 0, SEEK_SET) != 0) fail(path_, "cannot go to its beginning", errno);
}

void SourceFile::check_unchanged() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail(path_, "cannot read its size", errno);
  const SourceStamp now = stamp_of(status);
  // A renamed file has another ctime, and the same content.
  if (now.size != stamp_.size || now.modified_ns != stamp_.modified_ns) {
    throw FileError(ExitCode::kData, path_, "", "was changed while it was being read: try again");
  }
}

}  // namespace mrcnn
