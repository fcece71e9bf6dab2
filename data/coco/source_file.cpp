#include "data/coco/source_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace mrcnn {
namespace {

constexpr int64_t kNanoseconds = 1'000'000'000;
constexpr int64_t kSettlingTime = 2 * kNanoseconds;  // no file system in use has longer ticks

int64_t to_ns(const timespec& time) {
  return int64_t{time.tv_sec} * kNanoseconds + int64_t{time.tv_nsec};
}

SourceStamp stamp_of(const struct stat& status) {
  return {.size = int64_t{status.st_size},
          .modified_ns = to_ns(status.st_mtim),
          .changed_ns = to_ns(status.st_ctim),
          .inode = static_cast<uint64_t>(status.st_ino),
          .device = static_cast<uint64_t>(status.st_dev)};
}

}  // namespace

SourceFile::SourceFile(const std::string& path)
    : path_(path), file_(std::in_place, path, ExitCode::kData), stamp_(stamp_of(file_->status())) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  is_settled_ = to_ns(now) - stamp_.changed_ns >= kSettlingTime;
  ::posix_fadvise(file_->descriptor(), 0, 0, POSIX_FADV_SEQUENTIAL);  // a hint
}

SourceFile::SourceFile(const FileBytes& text, const std::string& name) : path_(name), text_(text) {
  stamp_.size = static_cast<int64_t>(text.bytes.size());
}

size_t SourceFile::read(std::span<char> target) {
  if (file_) return file_->read(std::as_writable_bytes(target));
  const size_t count = std::min(target.size(), text_.bytes.size() - position_);
  if (count > 0) std::memcpy(target.data(), text_.bytes.data() + position_, count);
  position_ += count;
  return count;
}

void SourceFile::rewind() {
  position_ = 0;
  if (file_) file_->rewind();
}

void SourceFile::check_unchanged() const {
  if (!file_) return;
  const SourceStamp now = stamp_of(file_->status_now());
  // A renamed file has another ctime, and the same content.
  if (now.size != stamp_.size || now.modified_ns != stamp_.modified_ns) {
    throw FileError(ExitCode::kData, path(), "", "was changed while it was being read: try again");
  }
}

}  // namespace mrcnn
