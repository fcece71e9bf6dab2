// The one place where the program calls the file system to read and to change files, so that a test
// can make each call fail (core/fault.h). Every other file of the program goes through here
// (checked by tests/structure).
//
// As the system's calls, these return -1 and set errno when they fail. An interrupted call is made
// again, and reads and writes go on until all bytes are moved.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace mrcnn::file_calls {

int open(const char* path, int flags);  // a new file is for everybody whom the umask lets
// Fewer bytes than asked for at the end of the file only.
ssize_t read(int file, std::span<std::byte> target);
ssize_t read_at(int file, std::span<std::byte> target, int64_t offset);
int write(int file, std::span<const std::byte> bytes);
int write_at(int file, std::span<const std::byte> bytes, int64_t offset);
int rewind(int file);
int status(int file, struct stat& status);
int reserve(int file, int64_t bytes);  // room on the disk
int truncate(int file);                // to nothing
int lock(int file);                    // EWOULDBLOCK when another process has it
int sync(int file);
int sync_file_system(int file);  // the whole one that the file is in
int close(int file);
int rename(const char* from, const char* to);
int unlink(const char* path);

}  // namespace mrcnn::file_calls
