#include "core/io/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "core/fault.h"
#include "core/io/file_calls.h"
#include "core/io/input_file.h"

namespace mrcnn {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

// Syncs what `path` names: the file system of a folder, or the folder itself. Returns 0 or the
// error.
template <typename Sync>
int sync_folder(const std::string& path, const Sync& sync) {
  const int folder =
      file_calls::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return errno;
  const int error = sync(folder) == 0 ? 0 : errno;
  file_calls::close(folder);
  return error;
}

// Anonymous pages rather than the heap: they go back to the system at once when freed.
std::shared_ptr<std::byte> allocate_pages(size_t bytes, const std::string& path) {
  void* pages = MAP_FAILED;
  if (fault_at({.name = "alloc"}).kind != FaultKind::kError) {
    pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (pages == MAP_FAILED) {
    throw FileError(ExitCode::kResources, path, "", fmt::format("no memory for {} bytes", bytes));
  }
  ::madvise(pages, bytes, MADV_HUGEPAGE);  // a hint: fewer page faults while reading
  return {static_cast<std::byte*>(pages), [bytes](std::byte* p) { ::munmap(p, bytes); }};
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
  InputFile file(path, on_error);
  const size_t size = file.size();
  if (size == 0) return {};
  const std::shared_ptr<std::byte> pages = allocate_pages(size, path);
  const size_t count = file.read({pages.get(), size});
  if (count < size) {
    throw FileError(on_error, path, fmt::format("byte {}", count),
                    fmt::format("the file had {} bytes and shrank while it was being read", size));
  }
  return {{pages.get(), size}, pages};
}

void write_unsynced(const std::string& path, std::span<const std::byte> bytes) {
  const int file = file_calls::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  bool good = file >= 0 && file_calls::write(file, bytes) == 0;
  int error = errno;
  if (file >= 0 && file_calls::close(file) != 0 && good) {
    good = false;
    error = errno;
  }
  if (good) return;
  throw FileError(ExitCode::kResources, path, "", "cannot write the file: " + reason(error));
}

void sync_file_system(const std::string& folder) {
  const int error = sync_folder(folder, file_calls::sync_file_system);
  if (error == 0) return;
  throw FileError(ExitCode::kResources, folder, "",
                  "cannot bring the folder to disk: " + reason(error));
}

AtomicFile::AtomicFile(const std::string& path) : path_(final_path(path)) {
  static std::atomic<int> counter{0};
  const std::filesystem::path target(path_);
  const std::string name =
      fmt::format(".{}.tmp.{}.{}", target.filename().string(), ::getpid(), counter.fetch_add(1));
  temporary_ = (target.parent_path() / name).string();
  descriptor_ = file_calls::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
  if (descriptor_ < 0) fail("cannot create a file beside it");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) file_calls::close(descriptor_);
  if (!temporary_.empty()) file_calls::unlink(temporary_.c_str());
}

void AtomicFile::fail(const std::string& action) const {
  throw FileError(ExitCode::kResources, path_, "", action + ": " + reason(errno));
}

void AtomicFile::reserve(int64_t bytes) {
  if (bytes <= 0 || file_calls::reserve(descriptor_, bytes) == 0) return;
  // Other errors mean that the file system cannot reserve.
  if (errno == ENOSPC || errno == EFBIG || errno == EDQUOT) {
    fail(fmt::format("no room for {} bytes", bytes));
  }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (file_calls::write(descriptor_, bytes) != 0) fail("cannot write");
}

void AtomicFile::write_at(int64_t offset, std::span<const std::byte> bytes) {
  if (file_calls::write_at(descriptor_, bytes, offset) != 0) fail("cannot write");
}

void AtomicFile::commit(const std::function<void(const std::string&)>& check) {
  if (file_calls::sync(descriptor_) != 0) fail("cannot bring it to disk");
  if (check) ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED);
  const int closed = file_calls::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail("cannot close");
  if (check) check(temporary_);
  if (file_calls::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot rename into place");
  temporary_.clear();
  const int error =
      sync_folder(std::filesystem::path(path_).parent_path().string(), file_calls::sync);
  // Some file systems cannot sync a directory and say EINVAL; the rename is then as safe as it
  // gets.
  if (error == 0 || error == EINVAL) return;
  errno = error;
  fail("cannot bring its directory to disk");
}

}  // namespace mrcnn
