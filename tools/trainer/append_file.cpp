#include "tools/trainer/append_file.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <span>
#include <system_error>

#include "core/error.h"
#include "core/io/file_calls.h"

namespace mrcnn {

AppendFile::AppendFile(std::string path, Open mode) : path_(std::move(path)) {
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (mode == Open::kNew ? O_EXCL : 0);
  descriptor_ = file_calls::open(path_.c_str(), flags);
  if (descriptor_ < 0) fail("cannot open");
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) file_calls::close(descriptor_);
}

void AppendFile::fail(const char* action) const {
  throw FileError(ExitCode::kResources, path_, "",
                  fmt::format("{}: {}", action, std::generic_category().message(errno)));
}

void AppendFile::append(std::string_view record) {
  if (file_calls::write(descriptor_, std::as_bytes(std::span(record))) != 0) fail("cannot write");
}

void AppendFile::sync() {
  if (file_calls::sync(descriptor_) != 0) fail("cannot bring it to disk");
}

bool AppendFile::empty() const {
  struct stat status {};
  if (file_calls::status(descriptor_, status) != 0) fail("cannot read its size");
  return status.st_size == 0;
}

}  // namespace mrcnn
