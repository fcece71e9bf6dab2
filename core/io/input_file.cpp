#include "core/io/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/io/file_calls.h"

namespace mrcnn {
namespace {

// What a user can do about it, "" where nothing comes to mind.
const char* remedy(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "; check the path, and the option or list that it came from";
    case EACCES:
      return "; check who may read it and search its folders";
    case ENAMETOOLONG:
      return "; no file can have this name";
    default:
      return "";
  }
}

}  // namespace

InputFile::InputFile(std::string path, ExitCode on_error)
    : path_(std::move(path)), on_error_(on_error) {
  // Non-blocking, so that opening a FIFO nobody writes to does not wait for ever.
  descriptor_ = file_calls::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail("", "cannot open", errno);
  const int error = file_calls::status(descriptor_, status_) == 0 ? 0 : errno;
  if (error == 0 && S_ISREG(status_.st_mode)) return;
  file_calls::close(descriptor_);
  if (error != 0) fail("", "cannot read its size", error);
  throw FileError(on_error, path_, "",
                  S_ISDIR(status_.st_mode) ? "is a directory" : "is not a regular file");
}

InputFile::~InputFile() { file_calls::close(descriptor_); }

void InputFile::fail(const std::string& place, const std::string& action, int error) const {
  const bool out_of_means = error == EMFILE || error == ENFILE || error == ENOMEM;
  throw FileError(out_of_means ? ExitCode::kResources : on_error_, path_, place,
                  action + ": " + std::generic_category().message(error) + remedy(error));
}

struct stat InputFile::status_now() const {
  struct stat now {};
  if (file_calls::status(descriptor_, now) != 0) fail("", "cannot read its size", errno);
  return now;
}

size_t InputFile::read(std::span<std::byte> target) {
  const ssize_t count = file_calls::read(descriptor_, target);
  if (count < 0) fail(fmt::format("byte {}", position_), "cannot read", errno);
  position_ += static_cast<size_t>(count);
  return static_cast<size_t>(count);
}

void InputFile::rewind() {
  if (file_calls::rewind(descriptor_) != 0) fail("", "cannot go to its beginning", errno);
  position_ = 0;
}

}  // namespace mrcnn
