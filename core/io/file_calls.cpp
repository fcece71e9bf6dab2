#include "core/io/file_calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "core/fault.h"

namespace mrcnn::file_calls {
namespace {

// What `call(fault)` returns, or the failure that a test wants.
template <typename Call>
ssize_t attempt(const FaultPlace& place, const Call& call) {
  ssize_t result = -1;
  do {
    const Fault fault = fault_at(place);
    if (fault.kind == FaultKind::kError) {
      errno = fault.error;
      result = -1;
    } else {
      result = call(fault);
    }
  } while (result < 0 && errno == EINTR);
  return result;
}

template <typename Call>
int attempt_whole(const FaultPlace& place, const Call& call) {
  return static_cast<int>(attempt(place, [&](const Fault&) { return ssize_t{call()}; }));
}

size_t portion(size_t bytes, const Fault& fault) {
  return fault.kind == FaultKind::kShort ? (bytes + 1) / 2 : bytes;
}

}  // namespace

int open(const char* path, int flags) {
  return attempt_whole({.name = "open", .path = path}, [&] { return ::open(path, flags, 0666); });
}

ssize_t read(int file, std::span<std::byte> target) {
  size_t done = 0;
  while (done < target.size()) {
    const std::span<std::byte> rest = target.subspan(done);
    const ssize_t count = attempt({.name = "read", .file = file}, [&](const Fault& fault) {
      return ::read(file, rest.data(), portion(rest.size(), fault));
    });
    if (count < 0) return -1;
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return static_cast<ssize_t>(done);
}

ssize_t read_at(int file, std::span<std::byte> target, int64_t offset) {
  size_t done = 0;
  while (done < target.size()) {
    const std::span<std::byte> rest = target.subspan(done);
    const int64_t at = offset + static_cast<int64_t>(done);
    const FaultPlace place{.name = "pread", .file = file, .offset = at};
    const ssize_t count = attempt(place, [&](const Fault& fault) {
      return ::pread(file, rest.data(), portion(rest.size(), fault), at);
    });
    if (count < 0) return -1;
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return static_cast<ssize_t>(done);
}

int write(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        attempt({.name = "write", .file = file, .bytes = bytes}, [&](const Fault& fault) {
          return ::write(file, bytes.data(), portion(bytes.size(), fault));
        });
    if (count < 0) return -1;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return 0;
}

int write_at(int file, std::span<const std::byte> bytes, int64_t offset) {
  while (!bytes.empty()) {
    const FaultPlace place{.name = "pwrite", .file = file, .bytes = bytes, .offset = offset};
    const ssize_t count = attempt(place, [&](const Fault& fault) {
      return ::pwrite(file, bytes.data(), portion(bytes.size(), fault), offset);
    });
    if (count < 0) return -1;
    offset += count;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return 0;
}

int rewind(int file) {
  return attempt_whole({.name = "lseek", .file = file},
                       [&] { return ::lseek(file, 0, SEEK_SET) == 0 ? 0 : -1; });
}

int status(int file, struct stat& status) {
  return attempt_whole({.name = "fstat", .file = file}, [&] { return ::fstat(file, &status); });
}

int reserve(int file, int64_t bytes) {
  return attempt_whole({.name = "fallocate", .file = file, .offset = bytes}, [&] {
    const int error = ::posix_fallocate(file, 0, bytes);
    if (error != 0) errno = error;
    return error == 0 ? 0 : -1;
  });
}

int truncate(int file) {
  return attempt_whole({.name = "ftruncate", .file = file}, [&] { return ::ftruncate(file, 0); });
}

int lock(int file) {
  return attempt_whole({.name = "flock", .file = file},
                       [&] { return ::flock(file, LOCK_EX | LOCK_NB); });
}

int sync(int file) {
  return attempt_whole({.name = "fsync", .file = file}, [&] { return ::fsync(file); });
}

int sync_file_system(int file) {
  return attempt_whole({.name = "syncfs", .file = file}, [&] { return ::syncfs(file); });
}

// Never again: the descriptor is gone, whatever the system says of it.
int close(int file) {
  const Fault fault = fault_at({.name = "close", .file = file});
  int result = ::close(file);
  if (fault.kind == FaultKind::kError) {
    errno = fault.error;
    result = -1;
  }
  return result < 0 && errno == EINTR ? 0 : result;
}

int rename(const char* from, const char* to) {
  return attempt_whole({.name = "rename", .path = from, .new_path = to},
                       [&] { return ::rename(from, to); });
}

int unlink(const char* path) {
  return attempt_whole({.name = "unlink", .path = path}, [&] { return ::unlink(path); });
}

}  // namespace mrcnn::file_calls
