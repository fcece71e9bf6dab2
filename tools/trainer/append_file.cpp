#include "tools/trainer/append_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/error.h"

namespace mrcnn {

AppendFile::AppendFile(std::string path, Open mode) : path_(std::move(path)) {
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (mode == Open::kNew ? O_EXCL : 0);
  descriptor_ = ::open(path_.c_str(), flags, 0666);
  if (descriptor_ < 0) fail("cannot open");
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AppendFile::fail(const char* action) const {
  throw FileError(ExitCode::kResources, path_, "",
                  fmt::format("{}: {}", action, std::generic_category().message(errno)));
}

void AppendFile::append(std::string_view record) {
  while (!record.empty()) {
    const ssize_t count = ::write(descriptor_, record.data(), record.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot write");
    record.remove_prefix(static_cast<size_t>(count));
  }
}

void AppendFile::sync() {
  if (::fsync(descriptor_) != 0) fail("cannot bring it to disk");
}

bool AppendFile::empty() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail("cannot read its size");
  return status.st_size == 0;
}

}  // namespace mrcnn
