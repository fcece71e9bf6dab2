#include "core/io/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/error.h"

namespace mrcnn {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

ExitCode code_of(int error, ExitCode otherwise) {
  const bool out_of_means = error == EMFILE || error == ENFILE || error == ENOMEM;
  return out_of_means ? ExitCode::kResources : otherwise;
}

// Anonymous pages rather than the heap: they go back to the system at once when freed.
std::shared_ptr<std::byte> allocate_pages(size_t bytes, const std::string& path) {
  void* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    throw FileError(ExitCode::kResources, path, "", fmt::format("no memory for {} bytes", bytes));
  }
  ::madvise(pages, bytes, MADV_HUGEPAGE);  // a hint: fewer page faults while reading
  return {static_cast<std::byte*>(pages), [bytes](std::byte* p) { ::munmap(p, bytes); }};
}

void read_fully(int descriptor, std::span<std::byte> target, const std::string& path,
                ExitCode on_error) {
  size_t done = 0;
  while (done < target.size()) {
    const ssize_t count = ::read(descriptor, target.data() + done, target.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw FileError(on_error, path, fmt::format("byte {}", done),
                      "cannot read: " + reason(errno));
    }
    if (count == 0) {
      throw FileError(
          on_error, path, fmt::format("byte {}", done),
          fmt::format("the file had {} bytes and shrank while it was being read", target.size()));
    }
    done += static_cast<size_t>(count);
  }
}

// Where a write to `path` ends up. Renaming over a link would replace the link itself, and over a
// device would replace the device.
std::string final_path(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path target = path;
  if (std::filesystem::is_symlink(target, ignored)) {
    target = std::filesystem::weakly_canonical(target, ignored);
  }
  const auto status = std::filesystem::status(target, ignored);
  if (path.empty() || !target.has_filename() || std::filesystem::is_directory(status)) {
    throw FileError(ExitCode::kUsage, path, "", "cannot be written: it names a directory");
  }
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw FileError(ExitCode::kUsage, path, "", "cannot be written: it is not a regular file");
  }
  return target.string();
}

}  // namespace

FileBytes read_file(const std::string& path, ExitCode on_error) {
  // Non-blocking, so that opening a FIFO nobody writes to does not wait for ever.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    throw FileError(code_of(errno, on_error), path, "", "cannot open: " + reason(errno));
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) {
    throw FileError(on_error, path, "", "cannot read its size: " + reason(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    throw FileError(on_error, path, "",
                    S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file");
  }
  const size_t size = static_cast<size_t>(status.st_size);
  if (size == 0) return {};
  const std::shared_ptr<std::byte> pages = allocate_pages(size, path);
  read_fully(file.get(), {pages.get(), size}, path, on_error);
  return {{pages.get(), size}, pages};
}

AtomicFile::AtomicFile(const std::string& path) : path_(final_path(path)) {
  static std::atomic<int> counter{0};
  const std::filesystem::path target(path_);
  const std::string name =
      fmt::format(".{}.tmp.{}.{}", target.filename().string(), ::getpid(), counter.fetch_add(1));
  temporary_ = (target.parent_path() / name).string();
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("cannot create a file beside it");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const std::string& action) const {
  throw FileError(ExitCode::kResources, path_, "", action + ": " + reason(errno));
}

void AtomicFile::reserve(int64_t bytes) {
  int error = EINTR;
  while (error == EINTR) error = bytes > 0 ? ::posix_fallocate(descriptor_, 0, bytes) : 0;
  if (error == ENOSPC || error == EFBIG || error == EDQUOT) {
    errno = error;
    fail(fmt::format("no room for {} bytes", bytes));
  }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot write");
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void AtomicFile::write_at(int64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(descriptor_, bytes.data(), bytes.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot write");
    offset += count;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void AtomicFile::commit(const std::function<void(const std::string&)>& check) {
  if (::fsync(descriptor_) != 0) fail("cannot bring it to disk");
  if (check) ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail("cannot close");
  if (check) check(temporary_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot rename into place");
  temporary_.clear();
  const std::string parent = std::filesystem::path(path_).parent_path().string();
  const Descriptor directory(
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a directory and say EINVAL; the rename is then as safe as it
  // gets.
  if (directory.get() < 0 || (::fsync(directory.get()) != 0 && errno != EINVAL)) {
    fail("cannot bring its directory to disk");
  }
}

}  // namespace mrcnn
