// Whole files in, whole files out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "core/exit_code.h"

namespace mrcnn {

// The content of a file. `bytes` starts at a page boundary and lives as long as `owner`.
struct FileBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

// Reads a regular file into memory of its own. It is not mapped: a mapped file that another
// process truncates ends the program with SIGBUS, while here it is an error like any other, and
// what was checked cannot change afterwards. The price, measured, is one copy from the page cache.
// Throws FileError with `on_error`; with ExitCode::kResources when the system is out of means.
FileBytes read_file(const std::string& path, ExitCode on_error);

// Writes a file under its own name and leaves it to the system when it reaches the disk: for many
// files at once, each of which can be made again. sync_file_system() brings them there together,
// with everything else on the file system of `folder`. Both throw FileError (ExitCode::kResources).
void write_unsynced(const std::string& path, std::span<const std::byte> bytes);
void sync_file_system(const std::string& folder);

// A file that appears complete or not at all: written beside its final name, synced, renamed over
// it, and the directory synced. Until commit() the old file, if there is one, stays as it was; an
// object that goes away without commit() leaves nothing behind. A symbolic link is followed.
// Every failure throws FileError with ExitCode::kResources, a path that cannot be a file with
// ExitCode::kUsage.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void reserve(int64_t bytes);  // finds out early that the disk is too full
  void write(std::span<const std::byte> bytes);
  // Writes at a place of its own, without moving where write() goes on: a header that is known
  // last.
  void write_at(int64_t offset, std::span<const std::byte> bytes);
  // `check` is given the path of the finished file before it gets its name. The bytes it reads come
  // from the disk rather than from memory, where the system allows that. When it throws, the old
  // file stays.
  void commit(const std::function<void(const std::string&)>& check = nullptr);

 private:
  [[noreturn]] void fail(const std::string& action) const;

  std::string path_;  // the final name, links resolved
  std::string temporary_;
  int descriptor_ = -1;
};

}  // namespace mrcnn
