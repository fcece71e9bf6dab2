// A regular file, read from front to back in pieces.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <span>
#include <string>

#include "core/exit_code.h"

namespace mrcnn {

// Failures throw FileError with `on_error`; with ExitCode::kResources when the system is out of
// means.
class InputFile {
 public:
  InputFile(std::string path, ExitCode on_error);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  int descriptor() const { return descriptor_; }
  const struct stat& status() const { return status_; }  // when it was opened
  struct stat status_now() const;
  size_t size() const { return static_cast<size_t>(status_.st_size); }

  // The next bytes; fewer than asked for at the end only.
  size_t read(std::span<std::byte> target);
  void rewind();

 private:
  [[noreturn]] void fail(const std::string& place, const std::string& action, int error) const;

  std::string path_;
  ExitCode on_error_;
  int descriptor_ = -1;
  size_t position_ = 0;
  struct stat status_ {};
};

}  // namespace mrcnn
