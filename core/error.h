// Exceptions of the project. Message form: "[op] problem with numbers: tensor, tensor".
// Libraries throw; programs turn an Error into one line on stderr and its exit code.
#pragma once

#include <stdexcept>
#include <string>

#include "core/exit_code.h"

namespace mrcnn {

class Error : public std::runtime_error {
 public:
  Error(ExitCode exit_code, const std::string& message)
      : std::runtime_error(message), exit_code_(exit_code) {}
  ExitCode exit_code() const { return exit_code_; }

 private:
  ExitCode exit_code_;
};

// Shapes that do not fit each other or the operation.
class ShapeError : public Error {
 public:
  explicit ShapeError(const std::string& message) : Error(ExitCode::kInternal, message) {}
};

// An element type the operation does not take.
class DTypeError : public Error {
 public:
  explicit DTypeError(const std::string& message) : Error(ExitCode::kInternal, message) {}
};

// A device that is absent, or tensors on different devices.
class DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message) : Error(ExitCode::kResources, message) {}
};

// A GPU, its driver or one of its libraries failed.
class CudaError : public Error {
 public:
  explicit CudaError(const std::string& message) : Error(ExitCode::kResources, message) {}
};

// Host or device memory that could not be had.
class MemoryError : public Error {
 public:
  explicit MemoryError(const std::string& message) : Error(ExitCode::kResources, message) {}
};

// A flag or setting that is wrong.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(ExitCode::kUsage, message) {}
};

// A file that is missing, unreadable, damaged or not what it claims to be.
// `place` is a byte offset, line or JSON path ("" if the whole file); `problem` says what is wrong
// and, where there is one, the remedy. The message reads "path: place: problem".
class FileError : public Error {
 public:
  FileError(ExitCode exit_code, const std::string& path, const std::string& place,
            const std::string& problem);
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace mrcnn
